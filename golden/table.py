"""The golden sheets: what each op computes, by the formula and fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph
from quantunet.ops import sheets, stems


class GoldenOp(Protocol):
    """A sheet, ``golden/ops/<stem>.py``."""

    def evaluate(self, graph: Graph, node: Any, inputs: Sequence[Array]) -> Array:
        """Return the output of a node by the formula."""

    def evaluate_batch(self, cores: Cores, graph: Graph, node: Any, inputs: Sequence[Codes]) -> Codes:
        """Return the output of a node for a batch."""


SHEETS: Mapping[str, GoldenOp] = sheets("quantunet.golden.ops", stems(computes=True), GoldenOp)
