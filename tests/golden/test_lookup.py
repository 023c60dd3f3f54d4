"""lookup: any table, the sigmoid's against high-precision arithmetic, and what is refused."""

import json
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import pytest

from quantunet import graph_file
from quantunet.errors import ModelError, ShapeError, WidthError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.lookup import lookup
from quantunet.graph_check import check, check_table
from quantunet.ir import PROBABILITY_TYPE, Graph, IntArray, Lookup, QType, Tensor
from quantunet.provenance import graph_digest
from quantunet.random_network import GraphBuilder, random_unet
from quantunet.sigmoid_table import sigmoid_table


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("frac", [0, 3, 6])
def test_every_entry_is_correctly_rounded(bits: int, frac: int) -> None:
    source = QType(bits, True, frac)
    table = sigmoid_table(source, PROBABILITY_TYPE)
    codes = np.arange(source.qmin, source.qmax + 1)
    with localcontext() as context:
        context.prec = 60
        for q, got in zip(codes, lookup(codes, table, source), strict=True):
            exact = 256 / (1 + (-Decimal(int(q)) / 2**frac).exp())
            assert got == min(255, int(exact.to_integral_value(ROUND_HALF_EVEN)))


def test_a_table_that_moves_the_threshold_is_refused() -> None:
    source = QType(8, True, 7)
    with pytest.raises(ModelError, match="rounds a negative logit up"):
        check_table("sigmoid", sigmoid_table(source, PROBABILITY_TYPE), source, PROBABILITY_TYPE, probability=True)


def test_a_gate_may_round_up_to_one_half() -> None:
    builder = GraphBuilder("net", 4, 5, 1, QType(8, True, 7), 0)
    gate = builder.sigmoid("gate", "image")
    with pytest.raises(ModelError, match="rounds a negative logit up"):
        builder.build()
    builder.multiply("multiply", "image", gate)
    graph = builder.build()
    assert not graph.gives_probabilities and graph.logits.name == "multiply_out"


def squares(target: QType, *, probability: bool = False, entries: int = 16) -> Graph:
    """Return the graph of a table of squares of signed numbers of four bits."""
    table = IntArray.of(np.arange(-8, entries - 8) ** 2)
    node = Lookup("square", ("image",), "y", table, probability)
    tensors = (Tensor("image", (4, 5, 3), QType(4, True, 1)), Tensor("y", (4, 5, 3), target))
    return Graph("net", ("image",), "y", tensors, (node,))


def test_a_table_of_squares() -> None:
    graph = check(squares(QType(7, False, 2)))
    image = np.random.default_rng(1).integers(-8, 8, size=(4, 5, 3))
    plain = evaluate(graph, graph.nodes[0], [image], plain=True)
    assert (plain == image**2).all() and (evaluate(graph, graph.nodes[0], [image]) == plain).all()
    assert len(np.unique(plain)) > 7 and not graph.gives_probabilities


@pytest.mark.parametrize(
    ("graph", "error"),
    [
        (squares(QType(6, False, 2)), WidthError),
        (squares(QType(17, False, 2)), WidthError),
        (squares(QType(7, False, 2), entries=15), ShapeError),
        (squares(QType(7, False, 2), probability=True), ModelError),
    ],
)
def test_what_does_not_fit_is_refused(graph: Graph, error: type[ModelError]) -> None:
    with pytest.raises(error, match=r"^square: expected "):
        check(graph)


def test_a_file_of_the_first_format_has_a_sigmoid() -> None:
    graph = random_unet(base=2, depth=1, size=8)
    document = json.loads(graph_file.to_json(graph))
    last = document["nodes"][-1]
    assert last["op"] == "lookup" and last.pop("probability")
    old = document | {"format": "quantunet-graph-1", "nodes": [*document["nodes"][:-1], last | {"op": "sigmoid"}]}
    assert graph_file.from_json(json.dumps(old)) == graph
    plain = document | {"nodes": [*document["nodes"][:-1], last | {"probability": False}]}
    other = graph_file.from_json(json.dumps(plain))
    assert graph.gives_probabilities and not other.gives_probabilities and graph_digest(other) != graph_digest(graph)
