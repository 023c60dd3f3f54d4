"""Integer inference: the definition of every layer. :func:`run` evaluates a graph."""

from quantunet.golden.inference import class_count, classes, mask, run, run_batch

__all__ = ["class_count", "classes", "mask", "run", "run_batch"]
