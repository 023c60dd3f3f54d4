"""What a training computes on: device, arithmetic, threads, memory."""

from __future__ import annotations

import ctypes
import logging

import torch

from quantunet.errors import TrainingError
from quantunet.model.config import Device, Precision

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of <malloc.h>
_LARGEST = 2**31 - 1
_MAX_THREADS = 1024


def prepare(threads: int | None = None) -> bool:
    """Prepare this process for trainings: it computes on so many CPU threads and keeps the memory of tensors.

    The tensors of a step are freed at its end and wanted again in the next one. By default glibc returns them, and the
    kernel then has to find and clear every page of them in every step. So up to 2 GiB at a time are kept.

    Args:
        threads: CPU threads; PyTorch's choice where it is None.

    Returns:
        Whether the C library could be told to keep memory: glibc can (mallopt(3)), others go on as they are.

    Raises:
        TrainingError: No thread, or more than any machine has.
    """
    if threads is not None:
        if not 1 <= threads <= _MAX_THREADS:
            raise TrainingError(
                "threads", expected=f"1 to {_MAX_THREADS}", got=str(threads), hint="Leave --threads out."
            )
        torch.set_num_threads(threads)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    kept = mallopt is not None and all(mallopt(option, _LARGEST) for option in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD))
    if not kept:
        logger.info("this C library returns freed memory to the system in every step")
    return kept


def pick_device(device: Device) -> torch.device:
    """The device to train on; ``auto`` takes CUDA where there is one.

    Raises:
        TrainingError: CUDA was asked for and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device cuda", expected="a CUDA device", got="none", hint="Use --device cpu.")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def pick_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """The type that convolutions compute in while training; ``auto`` takes bfloat16 where the hardware has it.

    Weights, scales, statistics and the loss stay in float32. Codes of up to 8 bits times a power of two are exact in
    bfloat16; accumulators are rounded before they are requantised. Scores are always computed in float32.

    Raises:
        TrainingError: bfloat16 was asked for on a processor that has no such instructions.
    """
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # A private name: PyTorch has no public question for these instructions.
        able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    if precision == "bfloat16" and not able:
        raise TrainingError(
            "precision bfloat16",
            expected=f"a {device.type} with bfloat16 instructions",
            got="none",
            hint="Use --precision float32.",
        )
    return torch.bfloat16 if able and precision != "float32" else torch.float32
