"""QuantU-Net: U-Nets with learned bit-widths, as streaming hardware that is proven bit-exact layer by layer.

The members of this package that ``__all__`` names are public, with what they take and return (docs/api.md). Every
module below it is private and may change in any release. Nothing is imported before it is asked for.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "QuantUNetError": "quantunet.errors",
    "cosim": "quantunet.api",
    "fold": "quantunet.api",
    "infer": "quantunet.api",
    "load_network": "quantunet.api",
    "predict": "quantunet.commands._predict_run",
    "write_rtl": "quantunet.api",
}

__all__ = ["QuantUNetError", "__version__", "cosim", "fold", "infer", "load_network", "predict", "write_rtl"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
