"""The hls4ml backend class: hls4ml's common passes, then the integer graph, then SystemVerilog."""

from __future__ import annotations

import _ctypes
import logging
import types
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.backends.fpga.fpga_backend import FPGABackend
from hls4ml.model.flow import register_flow

from quantunet.errors import UnsupportedOpError
from quantunet.hls.csim.extension import register_layers
from quantunet.hls.plugin import reporting, software
from quantunet.hls.plugin.front_ends import register_front_ends
from quantunet.hls.plugin.reader import compiled

logger = logging.getLogger(__name__)

_DEFAULT_CLOCK_NS = 10.0


class QuantUNetBackend(FPGABackend):
    """Writes a model as streaming SystemVerilog; see :class:`quantunet.hls.plugin.writer.QuantUNetWriter`."""

    def __init__(self) -> None:
        super().__init__(name="QuantUNet")
        register_layers()
        register_front_ends(self.name)
        self._default_flow: str = register_flow("ip", None, requires=["optimize"], backend=self.name)
        self._writer_flow: str = register_flow(
            "write", ["quantunet:write_hls"], requires=[self._default_flow], backend=self.name
        )

    def get_default_flow(self) -> str:
        """Return the name of the flow that prepares a model."""
        return self._default_flow

    def get_writer_flow(self) -> str:
        """Return the name of the flow that writes a model."""
        return self._writer_flow

    def create_initial_config(
        self,
        part: str | None = None,
        clock_period: float = _DEFAULT_CLOCK_NS,
        io_type: str = "io_stream",
        folding: str | None = None,
        **others: Any,
    ) -> dict[str, Any]:
        """Return the backend's part of a conversion configuration.

        Args:
            part: Refused: the SystemVerilog is the same for every part, and boards are named where it is synthesised.
            clock_period: In nanoseconds; :meth:`build` tells the frames per second with it. The hardware has no clock
                of its own.
            others: Keywords of other backends; they have no effect, and a warning names them.
            io_type: Must be ``io_stream``.
            folding: A JSON file with PE and SIMD of each layer; the default folding without it.

        Raises:
            UnsupportedOpError: Another ``io_type``, a part, or a clock period that is not above 0.
        """
        if io_type != "io_stream":
            raise UnsupportedOpError(
                "IOType", expected="io_stream", got=io_type, hint="Convert with io_type='io_stream'."
            )
        if part:
            raise UnsupportedOpError(
                "part", expected="none", got=str(part),
                hint="Leave it out, and name a board when you synthesise: quantunet hls_synth --board NAME.",
            )  # fmt: skip
        if not clock_period > 0:
            raise UnsupportedOpError("clock_period", expected="nanoseconds above 0", got=str(clock_period))
        named = [f"{key}={value!r}" for key, value in others.items() if value not in (None, False, "")]
        if named:
            logger.warning("without effect in the backend QuantUNet: %s", ", ".join(named))
        return {
            "Part": "",
            "ClockPeriod": clock_period,
            "IOType": io_type,
            "HLSConfig": {},
            "Folding": folding,
            "WriterConfig": {},
        }

    def compile(self, model: Any) -> str:
        """Make the model ready for ``predict()`` and ``trace()``, which golden's integer inference computes.

        hls4ml loads a library that it is given; there is nothing in it that is called.

        Returns:
            The path of a library that is always there.

        Raises:
            ModelError: The model cannot be represented exactly; a subclass says why.
        """
        compiled(model)
        model.trace = types.MethodType(_trace, model)
        return _ctypes.__file__

    def predict(self, model: Any, x: Any) -> Any:
        """Return what the hardware computes of real inputs, as real values, in the shapes of hls4ml's own ``predict``.

        Args:
            model: A compiled model.
            x: One sample or several.

        Raises:
            ModelError: It was not compiled.
            ShapeError: The inputs are no whole samples.
        """
        ready = compiled(model, make=False)
        found = software.run(ready, x, [ready.graph.output])[ready.graph.output]
        return _as_hls4ml(software.rows(ready, found), x)

    def build(self, model: Any, *, synth: bool = True, csim: bool = False, **others: Any) -> dict[str, Any]:
        """Write the SystemVerilog and synthesise every layer with Yosys.

        Args:
            model: The model.
            synth: Whether to synthesise; without it the project is written and the cycles are told.
            csim: Not of this backend: ``quantunet cosim`` runs every layer as C++ and as SystemVerilog.
            others: Other options of hls4ml's backends; refused.

        Returns:
            What ``report.json`` in the model's folder says, and the frames per second at the model's clock period.

        Raises:
            UnsupportedOpError: An option that this backend does not have.
            ModelError: The model cannot be represented exactly.
            ToolMissingError: Yosys is not installed.
        """
        asked = [name for name, value in {"csim": csim, **others}.items() if value]
        if asked:
            raise UnsupportedOpError(
                "build", expected="synth", got=", ".join(asked),
                hint="For a proof by simulation: quantunet cosim "
                f"{model.config.get_output_dir()}/graph.json",
            )  # fmt: skip
        model.write()
        clock = float(model.config.get_config_value("ClockPeriod", _DEFAULT_CLOCK_NS))
        return reporting.build(Path(model.config.get_output_dir()), clock, synth=synth)


def _trace(model: Any, x: Any) -> tuple[Any, dict[str, Any]]:
    """Return the prediction, and what every layer whose values are in the hardware computes, by the layer's name."""
    ready = compiled(model)
    names = dict.fromkeys([ready.graph.output, *ready.layers.values()])
    found = software.run(ready, x, list(names))
    shapes = {layer.name: tuple(layer.get_output_variable().shape) for layer in model.get_layers()}
    traced = {
        layer: found[tensor].reshape(-1, *shapes[layer]) for layer, tensor in ready.layers.items() if layer in shapes
    }
    return _as_hls4ml(software.rows(ready, found[ready.graph.output]), x), traced


def _as_hls4ml(values: Any, x: Any) -> Any:
    """Return predictions as hls4ml does: one row a sample, in the inputs' float type."""
    single = np.asarray(x).dtype in (np.single, np.float32)
    rows = values.astype(np.float32 if single else np.float64)
    return rows[0] if len(rows) == 1 else rows
