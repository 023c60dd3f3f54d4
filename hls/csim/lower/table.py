"""The lowerings of all ops; an op without one is refused when this is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from quantunet.hls.csim.lower.layer import HlsLayer
from quantunet.ir import Graph
from quantunet.ops import sheets, stems


class Lowering(Protocol):
    """A sheet, ``hls/csim/lower/<stem>.py``."""

    def lower(self, graph: Graph, node: Any) -> HlsLayer:
        """Return the hls4ml layer of a node."""


SHEETS: Mapping[str, Lowering] = sheets("quantunet.hls.csim.lower", stems(computes=True), Lowering)
