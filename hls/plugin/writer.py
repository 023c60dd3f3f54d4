"""The hls4ml writer: the SystemVerilog project of a ModelGraph, with its integer graph and folding beside it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hls4ml.writer.writers import Writer

from quantunet import graph_file
from quantunet.hls.choose.default import default_folding, read_folding
from quantunet.hls.csim.lower.layer import GRAPH_KEY
from quantunet.hls.generate import rtl_project
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.storage import write_text

logger = logging.getLogger(__name__)


class QuantUNetWriter(Writer):
    """Writes ``graph.json`` and the SystemVerilog of a model to its output folder."""

    def write_hls(self, model: Any) -> None:
        """Write a model.

        Args:
            model: A ``ModelGraph`` of the backend ``QuantUNet``.

        Raises:
            ModelError: The model cannot be represented exactly; a subclass says why.
            FoldingError: The folding does not fit the model.
            StorageError: A file cannot be read or written.
        """
        graph = from_model_graph(model)
        _say_what_is_idle(model)
        folder = Path(model.config.get_output_dir())
        file = model.config.get_config_value("Folding")
        folding = read_folding(Path(file), graph) if file else default_folding(graph)
        project = rtl_project.write(graph, folding, folder)
        write_text(folder / "graph.json", graph_file.to_json(graph))
        logger.info("wrote %d SystemVerilog files to %s", len(project.sources), folder)


def _say_what_is_idle(model: Any) -> None:
    """Warn of settings in the model's configuration that the backend does not read."""
    if model.config.config.get(GRAPH_KEY) is not None:
        return
    idle: dict[str, list[str]] = {}
    for layer in model.get_layers():
        reuse, strategy = model.config.get_reuse_factor(layer), model.config.get_strategy(layer)
        if reuse not in (None, 1):
            idle.setdefault(f"ReuseFactor {reuse}", []).append(layer.name)
        if strategy is not None and str(strategy).lower() != "latency":
            idle.setdefault(f"Strategy {strategy}", []).append(layer.name)
    for setting, names in idle.items():
        logger.warning(
            "%s has no effect in the backend QuantUNet (%s): give PE and SIMD by folding=FILE",
            setting,
            ", ".join(names),
        )
