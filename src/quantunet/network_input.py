"""The network's input: it becomes a tensor behind its quantizer, which says what the byte of a picture means."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from quantunet.errors import UnsupportedOpError
from quantunet.fraction_rounding import ROUNDINGS
from quantunet.ir import QType, Tensor
from quantunet.layer_list import LayerList
from quantunet.pixels import Pixels
from quantunet.ranges import fitting_type
from quantunet.reach import codes_of
from quantunet.value_types import declared_type, holding, narrow_limits, no_type
from quantunet.values import InputSource, Place, Value, frac_of, step_of

INPUT_NAME = "image"
"""The name of a network's input tensor where the door has no better one."""


class NetworkInput:
    """The one quantizer behind the network's input.

    Args:
        layers: Where the input tensor goes.
        pixels: What is known of them in front of the quantizer.

    Attributes:
        pixels: What the byte of a picture means.
    """

    def __init__(self, layers: LayerList, pixels: Pixels) -> None:
        self.pixels = pixels
        self._layers = layers
        self._codes: tuple[Fraction, int | None, int | None] | None = None

    def quantizer(self, value: Value, reader: Place) -> tuple[QType, Fraction, tuple[int, int] | None]:
        """Return the type of the input tensor, its step, and the limits of its integers where no type has them.

        Args:
            value: The input, or what was moved of it, behind its quantizer.
            reader: The op that reads it, for messages.

        Raises:
            UnsupportedOpError: It has no quantizer, a second one, or one that the input cannot have.
            WidthError: It needs more than 16 bits.
        """
        step = value.step
        rounding = next((name for name, each in ROUNDINGS.items() if each is value.rounding), None)
        if step is None or value.bends or value.wraps or rounding is None:
            raise UnsupportedOpError(
                reader.name if step is None else value.place.name,
                expected="a quantizer behind the network's input" + ("" if step is None else ", which saturates"),
                got="a layer that reads the input unquantised" if step is None else "another",
                hint="Put an activation quantizer at the input (for example brevitas.nn.QuantIdentity).",
            )
        self.check_one(value, step)
        low, high = codes_of(value, step)
        declared = declared_type(value, step)
        qtype = fitting_type(None, low, high, declared, frac_of(step) or 0)
        bounds = None
        if qtype is None and declared is not None and (low, high) == narrow_limits(declared):
            qtype = declared
            self.pixels = replace(self.pixels, narrow=True)
        elif qtype is None and low is not None and high is not None:
            qtype = holding(value.place, (low, high), step)
            bounds = (low, high)
        if qtype is None:
            raise no_type(value, reader)
        self.pixels = replace(self.pixels, rounding=rounding)
        return qtype, step, bounds

    def tensor(
        self, source: InputSource, qtype: QType, step: Fraction, bounds: tuple[int, int] | None, place: Place
    ) -> Tensor:
        """Return the input tensor; it is added when it is first asked for.

        Raises:
            UnsupportedOpError: It was added in another type.
        """
        if self._layers.has_input(INPUT_NAME):
            tensor = self._layers.tensor(INPUT_NAME)
            if (tensor.qtype, step_of(tensor)) != (qtype, step):
                raise _second_quantizer(place)
            return tensor
        self.pixels = replace(self.pixels, gain=source.gain, offset=source.offset, bounds=bounds)
        tensor = Tensor(INPUT_NAME, source.shape, qtype, step if frac_of(step) is None else None)
        self._layers.input(tensor, bounds or (qtype.qmin, qtype.qmax))
        return tensor

    def check_one(self, value: Value, step: Fraction) -> None:
        """Refuse a second quantizer behind the network's input that does not do what the first one does.

        Raises:
            UnsupportedOpError: It does not.
            ScaleError: A limit of it lies between two integers.
        """
        codes = (step, *codes_of(value, step))
        self._codes = codes if self._codes is None else self._codes
        if self._codes != codes:
            raise _second_quantizer(value.place)


def _second_quantizer(place: Place) -> UnsupportedOpError:
    return UnsupportedOpError(
        place.name,
        expected="one quantizer behind the network's input",
        got="a second one of another type",
        hint="Share one quantizer, and requantise behind it.",
    )
