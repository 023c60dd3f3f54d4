"""Additions to a module of hls4ml that cannot be imported yet.

hls4ml loads its backends while its own packages are half loaded: the modules that have the tables of handlers cannot be
imported then. What is to be added to one is added when it has been loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Addition = Callable[[ModuleType], None]


def when_loaded(name: str, add: Addition) -> None:
    """Call a function with a module, now or when it is loaded; a second call with the same two changes nothing."""
    if name in sys.modules:
        add(sys.modules[name])
    elif (name, add) not in [(each.name, each.add) for each in sys.meta_path if isinstance(each, _WhenLoaded)]:
        sys.meta_path.insert(0, _WhenLoaded(name, add))


class _WhenLoaded:
    """A finder that acts behind the loading of one module, once."""

    def __init__(self, name: str, add: Addition) -> None:
        self.name, self.add = name, add

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the module's spec with a loader that adds behind it; ``None`` for every other module."""
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_add(module: ModuleType) -> None:
                load(module)
                self.add(module)

            spec.loader.exec_module = load_and_add  # type: ignore[method-assign]
        return spec
