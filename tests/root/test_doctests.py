"""Every example in a docstring runs."""

import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = ("quantunet", *(f"quantunet.{room}" for room in ("constraints", "golden", "hls", "model", "rtl_sim")))
GOLDEN_OPS = "quantunet.golden.ops."
OF_TRAINING = {"torch", "brevitas", "monai"}
"""Packages without which the examples of trainings are skipped: `nox -s fast_tests` installs none of them."""

_EXAMPLE = re.compile(r"^ *>>> ", re.MULTILINE)


def modules() -> list[str]:
    """The golden ops, which must have an example, and every other module that has one."""
    names = set()
    for package in map(importlib.import_module, (*PACKAGES, "benchmarks")):
        names |= {info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")}
    return sorted(name for name in names if name.startswith(GOLDEN_OPS) or _EXAMPLE.search(_source(name)))


def _source(name: str) -> str:
    spec = importlib.util.find_spec(name)
    return "" if spec is None or spec.origin is None else Path(spec.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    try:
        module: ModuleType = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in OF_TRAINING:
            raise
        pytest.skip(f"{error.name} is not installed")
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted > 0, "no example: a golden op carries one"
