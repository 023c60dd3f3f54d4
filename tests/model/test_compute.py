"""The device and the threads of a training, and that the memory of tensors is kept from step to step."""

import subprocess
import sys

import pytest
import torch

from quantunet.errors import TrainingError
from quantunet.model import compute

_PAGES = """
import resource
import torch
from quantunet.model.compute import prepare

def step():
    for tensor in [torch.empty(10 << 20) for _ in range(3)]:  # 40 MiB each: more than glibc keeps by default
        tensor.fill_(1.0)

if {keep}:
    assert prepare()
for _ in range(40):  # the heap finds its size in the first steps: five or six of them, as the tensors happen to lie
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _fresh_pages(keep: bool) -> int:
    code = _PAGES.format(keep=keep)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is on Linux")
def test_a_step_takes_its_memory_from_the_one_before() -> None:
    returned, kept = _fresh_pages(keep=False), _fresh_pages(keep=True)
    assert returned >= 3 * (40 << 20) / 65536  # of the largest pages that Linux is built with
    assert kept < returned / 10


def test_cuda_without_a_device_is_refused() -> None:
    if torch.cuda.is_available():
        assert compute.pick_device("cuda").type == "cuda"
    else:
        with pytest.raises(TrainingError, match="CUDA"):
            compute.pick_device("cuda")
    assert compute.pick_device("cpu").type == "cpu"


def test_no_thread_is_refused() -> None:
    with pytest.raises(TrainingError, match="expected 1 to 1024, got"):
        compute.prepare(threads=0)
