"""One training on several GPUs or hosts, as ``torchrun`` starts it: the same batches, each rank taking its share.

Every rank holds the whole network and the same random numbers. A batch is cut into equal shares, gradients are averaged
over the ranks before the optimiser steps, so that the ranks stay equal; rank 0 alone scores, logs and saves.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn

from quantunet.errors import TrainingError


def rank() -> int:
    """Number of this process among those of the training; 0 where there is one."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def ranks() -> int:
    """Number of processes of the training."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


@contextmanager
def group(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that ``torchrun`` has started; without ``torchrun`` there is one.

    Args:
        device: Where to compute; ``cuda`` becomes the GPU of this rank on its host.

    Yields:
        The device of this rank.

    Raises:
        TrainingError: There are more ranks on this host than GPUs.
    """
    if "RANK" not in os.environ:
        yield device
        return
    if device.type == "cuda":
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise TrainingError(
                "torchrun",
                expected=f"at most {torch.cuda.device_count()} processes on a host with as many GPUs",
                got=os.environ["LOCAL_WORLD_SIZE"],
                hint="Lower --nproc-per-node.",
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def wait() -> None:
    """Wait until every rank is here."""
    if ranks() > 1:
        distributed.barrier()


def share(batch: Tensor) -> Tensor:
    """The part of a batch that is this rank's: every ``ranks()``-th image."""
    return batch[rank() :: ranks()]


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the ranks."""
    if ranks() > 1:
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        distributed.all_reduce(flat)
        flat /= ranks()
        for gradient, mean in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))


@torch.no_grad()
def copy_from_rank_0(model: nn.Module) -> None:
    """Give every rank the parameters and buffers of rank 0."""
    if ranks() > 1:
        for tensor in model.state_dict().values():
            distributed.broadcast(tensor, src=0)


@torch.no_grad()
def average_statistics(model: nn.Module) -> None:
    """Replace the running statistics of every BatchNorm by their mean over the ranks."""
    if ranks() > 1:
        for buffer in model.buffers():
            if buffer.is_floating_point():
                distributed.all_reduce(buffer)
                buffer /= ranks()


def average(value: float, device: torch.device) -> float:
    """The mean of a number over the ranks."""
    if ranks() == 1:
        return value
    tensor = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.all_reduce(tensor)
    return float(tensor) / ranks()


def from_rank_0(value: float, device: torch.device) -> float:
    """A number that rank 0 has computed; what other ranks pass is ignored."""
    if ranks() == 1:
        return value
    tensor = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.broadcast(tensor, src=0)
    return float(tensor)
