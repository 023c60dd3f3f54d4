"""Integer inference: the definition of every layer. :func:`run` evaluates a graph."""

from quantunet.golden.inference import mask, run, run_batch

__all__ = ["mask", "run", "run_batch"]
