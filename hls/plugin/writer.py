"""The hls4ml writer: the SystemVerilog project of a ModelGraph, with its integer graph and folding beside it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hls4ml.writer.writers import Writer

from quantunet import graph_file
from quantunet.hls.choose.default import read_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.plugin.folding import folding_of
from quantunet.hls.plugin.reader import compiled
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
        ready = compiled(model)
        graph = ready.graph
        folder = Path(model.config.get_output_dir())
        file = model.config.get_config_value("Folding")
        folding = read_folding(Path(file), graph) if file else folding_of(model, ready)
        project = rtl_project.write(graph, folding, folder)
        write_text(folder / "graph.json", graph_file.to_json(graph))
        logger.info("wrote %d SystemVerilog files to %s", len(project.sources), folder)
