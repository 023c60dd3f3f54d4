"""Functions of one tensor: they wait for their quantizer and become a table with a code for each integer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from quantunet import functions
from quantunet.errors import UnsupportedOpError, WidthError
from quantunet.graph_check import keeps_threshold
from quantunet.ir import IntArray, Lookup, Node, Tensor
from quantunet.layer_list import LayerList
from quantunet.settle import Settler
from quantunet.sigmoid_table import sigmoid_table
from quantunet.value_types import holding, settled_type
from quantunet.values import AnyValue, Curve, Form, Place, Rule, TensorSource, Value, frac_of

MAX_TABLE_BITS = 12
"""Width of a tensor of which any function can be looked up."""


class CurveTables:
    """Makes functions of values, and their tables.

    Args:
        layers: Where the tables go.
        settler: Makes the tensors that the functions read.
    """

    def __init__(self, layers: LayerList, settler: Settler) -> None:
        self._layers = layers
        self._settler = settler
        self._gates: dict[str, Node] = {}

    @property
    def gates(self) -> Mapping[str, Node]:
        """By its output, the layer of a table of probabilities that does not tell the least logits from 0, as a gate.

        A gate in the middle need not tell them; at the network's end the check refuses such a table.
        """
        return self._gates

    def sigmoid(self, place: Place, value: AnyValue) -> Curve:
        """Return the sigmoid of a value."""
        curve = self.curve(place, value, functions.sigmoid)
        return replace(curve, sigmoid=True)

    def curve(self, place: Place, value: AnyValue, function: Callable[[Fraction | float], Fraction | float]) -> Curve:
        """Return any function of a value; it waits for its quantizer and becomes a table.

        Args:
            place: The op.
            value: The value.
            function: From the real value to a fraction where it is exact, or else to a float64.

        Raises:
            WidthError: The value is too wide for a table.
        """
        if isinstance(value, Curve):
            return value.then(place, function)
        tensor, step = self._settler.read(value, place)
        if tensor.qtype.bits > MAX_TABLE_BITS:
            raise WidthError(
                place.name, expected=f"a value of at most {MAX_TABLE_BITS} bits, for a table",
                got=f"{tensor.qtype.bits} bits", hint="Put a narrower quantizer in front of it.",
            )  # fmt: skip
        codes = range(tensor.qtype.qmin, tensor.qtype.qmax + 1)
        try:
            return Curve(place, tensor, tuple(function(code * step) for code in codes))
        except OverflowError:
            raise UnsupportedOpError(
                place.name, expected="a function whose values float64 holds", got="greater ones",
                hint="Put a quantizer of a smaller scale in front of it.",
            ) from None  # fmt: skip

    def curves(
        self,
        place: Place,
        first: AnyValue,
        second: AnyValue,
        function: Callable[[Fraction | float, Fraction | float], Fraction | float],
    ) -> Curve | None:
        """Return a function of two values that are functions of one tensor (``x * sigmoid(x)``), or else ``None``."""
        curves = [self._as_curve(place, value) for value in (first, second)]
        one, other = curves
        if one is None or other is None or one.source.name != other.source.name:
            return None
        return Curve(place, one.source, tuple(map(function, one.values, other.values)))

    def _as_curve(self, place: Place, value: AnyValue) -> Curve | None:
        if isinstance(value, Curve):
            return value
        narrow = isinstance(value, Value) and isinstance(value.source, TensorSource)
        if not narrow or not isinstance(value, Value) or settled_type(value) is None:
            return None
        return self.curve(place, value, lambda each: each)

    def tabulated(self, place: Place, value: Curve, rule: Rule) -> Value:
        """Return the tensor of a function behind its quantizer.

        Raises:
            UnsupportedOpError: A value is so near to the edge of a step that float64 cannot tell.
            WidthError: The codes need more than 16 bits.
        """
        form = rule.declared
        whole_type = form is not None and rule == Rule.of(form.qtype)
        if value.sigmoid and form is not None and whole_type and value.source.unit is None and not form.signed:
            table = sigmoid_table(value.source.qtype, form.qtype)
            node = self._lookup(value.place, value.source, table, probability=True)
            if not keeps_threshold(table, value.source.qtype, form.qtype):
                self._gates[node.output] = replace(node, probability=False)
            return self._added(value.place, value.source, node, form)
        codes = [_table_code(place, each, rule) for each in value.values]
        if form is None or not rule.low >= form.qtype.qmin or not rule.high <= form.qtype.qmax:
            qtype = holding(place, (min(codes), max(codes)), rule.step)
            form = Form(qtype.bits, qtype.signed, rule.step)
        # Of any other type it is a probability where nobody who asks for 1/2 or more is misled.
        plain = value.sigmoid and value.source.unit is None and frac_of(form.step) is not None
        found = IntArray.of(codes)
        probability = plain and keeps_threshold(found, value.source.qtype, form.qtype)
        return self.looked_up(value.place, value.source, found, form, probability=probability)

    def looked_up(self, place: Place, source: Tensor, table: IntArray, form: Form, *, probability: bool) -> Value:
        """Return the tensor of a table that is there."""
        return self._added(place, source, self._lookup(place, source, table, probability=probability), form)

    def _lookup(self, place: Place, source: Tensor, table: IntArray, *, probability: bool) -> Lookup:
        names = self._layers.layer_name(place.name), (source.name,), self._layers.tensor_name(place.output)
        return Lookup(*names, table, probability)

    def _added(self, place: Place, source: Tensor, node: Lookup, form: Form) -> Value:
        unit = form.step if frac_of(form.step) is None else None
        reach = int(node.table.array.min()), int(node.table.array.max())
        tensor = self._layers.add(place.order, node, source.shape, form.qtype, unit, reach)
        return self._layers.value(tensor, place)


_UNSURE = 1e-9
"""How near to the edge of a step a float64 of a function must not be: its last bits are not known."""


def _table_code(place: Place, value: Fraction | float, rule: Rule) -> int:
    """Return the code of a function's value.

    Raises:
        UnsupportedOpError: The value is so near to the edge of a step that float64 cannot tell.
    """
    exact = Fraction(value) / rule.step
    code = rule.rounding(exact)
    if isinstance(value, float):
        near = Fraction(_UNSURE) * max(Fraction(1), abs(exact))
        tie = (2 * exact).denominator == 1
        if not tie and rule.rounding(exact - near) != rule.rounding(exact + near):
            raise UnsupportedOpError(
                place.name, expected="a value that float64 places on one side of a step",
                got=f"{float(exact)!r} steps", hint="Use another scale behind the function.",
            )  # fmt: skip
    return rule.within(code)
