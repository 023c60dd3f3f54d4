"""The fixtures of a training that takes a second."""

from helpers.training import one_thread, quick, samples, small

__all__ = ["one_thread", "quick", "samples", "small"]
