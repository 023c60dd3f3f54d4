"""Memory of tensors is kept from step to step."""

import subprocess
import sys

import pytest

_PAGES = """
import resource
import torch
from quantunet.model.allocator import keep_freed_memory

def step():
    for tensor in [torch.empty(10 << 20) for _ in range(3)]:  # 40 MiB each: more than glibc keeps by default
        tensor.fill_(1.0)

if {keep}:
    assert keep_freed_memory()
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
