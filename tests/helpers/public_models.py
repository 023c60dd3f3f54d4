"""Public files of other projects, which are not part of this one; ``QUANTUNET_MODELS`` names their folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import onnx
from helpers.onnx_compare import input_of

from quantunet.ir import Graph, QType
from quantunet.qonnx_import import load

ROOT = Path(__file__).parents[2]


def folder() -> Path:
    """The folder of the files: the variable's, or the one that lies beside the checkout."""
    named = os.environ.get("QUANTUNET_MODELS")
    return Path(named) if named else ROOT.parent / "shared" / "models"


MODELS = {path.stem: path for path in sorted(folder().glob("*.onnx"))}


@dataclass(frozen=True)
class Taken:
    """A quantised network.

    Attributes:
        values: How many values its output has.
        size: Its input is cut to this, in the file's order of axes: small, and no two sizes alike.
        input_type: Of an input that has no quantizer.
        before: The network ends in front of this op.
    """

    values: int
    size: tuple[int, ...] = ()
    input_type: str = ""
    before: str = ""

    def model(self, path: Path) -> onnx.ModelProto:
        model = onnx.load(path)
        for dimension, size in zip(input_of(model).type.tensor_type.shape.dim, self.size, strict=False):
            dimension.dim_value = size
        if self.before:
            (place,) = (index for index, node in enumerate(model.graph.node) if node.op_type == self.before)
            model.graph.output[0].name = model.graph.node[place].input[0]
            del model.graph.node[place]
        return model

    def graph(self, model: onnx.ModelProto, path: Path) -> Graph:
        """Write the file, and return the network that is read from it."""
        path.write_bytes(model.SerializeToString())
        return load(path, QType.parse(self.input_type) if self.input_type else None)


TAKEN = {
    "ex_tiny_unet_ch_last": Taken(16 * 32 * 2, (1, 16, 32, 3)),
    "ex_separable_conv_model_ch_last": Taken(10 * 12 * 16, (1, 10, 12, 3)),
    "ex_bnn_model_fc_1layer": Taken(4),
    "qonnx_bsd300x3-espcn_nn_resize_quant_model": Taken(3 * 8 * 12, (1, 3, 4, 6)),
    "zoo_TFC_1W2A": Taken(10),
    "zoo_TFC_2W2A": Taken(10),
    "zoo_kwsmlp_w3a3": Taken(12),
    "zoo_qkeras_jettagging": Taken(5, input_type="s16.10", before="Softmax"),
    "qonnx_eltwise_chanlast_testcase": Taken(8 * 6 * 8, (1, 3, 7, 9), input_type="s8.4"),
}
