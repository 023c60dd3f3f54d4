"""What the C library does with the memory of tensors between the steps of a training."""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of <malloc.h>
_LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, up to 2 GiB at a time, instead of returning it to the system.

    The tensors of a step are freed at its end and wanted again in the next one. By default glibc returns them, and the
    kernel then has to find and clear every page of them in every step.

    Returns:
        Whether the C library could be told: glibc can (mallopt(3)), others go on as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    kept = mallopt is not None and all(mallopt(option, _LARGEST) for option in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD))
    if not kept:
        logger.info("this C library returns freed memory to the system in every step")
    return kept
