"""Integer inference: the definition of every layer. :func:`run` evaluates a graph."""

from quantunet.golden.inference import mask, run

__all__ = ["mask", "run"]
