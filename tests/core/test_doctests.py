"""Every example in the docstrings of the root and the golden model runs."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import quantunet
from quantunet import commands, golden
from quantunet.golden import ops


def modules() -> list[str]:
    names = [f"quantunet.{info.name}" for info in pkgutil.iter_modules(quantunet.__path__) if not info.ispkg]
    for package in (golden, ops, commands):
        names += [
            f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__) if not info.ispkg
        ]
    return sorted(name for name in names if not name.endswith("__main__"))


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    module: ModuleType = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.failed == 0
    if name.startswith("quantunet.golden.ops."):
        assert result.attempted > 0, "a golden op carries an example"
