"""The hls4ml backend class: hls4ml's common passes, then the integer graph, then SystemVerilog."""

from __future__ import annotations

import logging
from typing import Any

from hls4ml.backends.fpga.fpga_backend import FPGABackend
from hls4ml.model.flow import register_flow

from quantunet.errors import ToolMissingError, UnsupportedOpError
from quantunet.hls.csim.extension import register_layers

logger = logging.getLogger(__name__)

_DEFAULT_CLOCK_NS = 10.0


class QuantUNetBackend(FPGABackend):
    """Writes a model as streaming SystemVerilog; see :class:`quantunet.hls.plugin.writer.QuantUNetWriter`."""

    def __init__(self) -> None:
        super().__init__(name="QuantUNet")
        register_layers()
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
            part: Kept for hls4ml's reports; the SystemVerilog does not depend on it.
            clock_period: In nanoseconds; likewise.
            others: Keywords of other backends; they have no effect, and a warning names them.
            io_type: Must be ``io_stream``.
            folding: A JSON file with PE and SIMD of each layer; the default folding without it.

        Raises:
            UnsupportedOpError: Another ``io_type``.
        """
        if io_type != "io_stream":
            raise UnsupportedOpError(
                "IOType", expected="io_stream", got=io_type, hint="Convert with io_type='io_stream'."
            )
        idle = {"part": part, **others}
        if clock_period != _DEFAULT_CLOCK_NS:
            idle["clock_period"] = clock_period
        named = [f"{key}={value!r}" for key, value in idle.items() if value not in (None, False, "")]
        if named:
            logger.warning("without effect in the backend QuantUNet: %s", ", ".join(named))
        return {
            "Part": part or "",
            "ClockPeriod": clock_period,
            "IOType": io_type,
            "HLSConfig": {},
            "Folding": folding,
            "WriterConfig": {},
        }

    def compile(self, model: Any) -> str:
        """There is nothing to compile: the integer graph is the software model.

        Raises:
            UnsupportedOpError: Always.
        """
        raise UnsupportedOpError(
            model.config.get_project_name(),
            expected="write()",
            got="compile() of the backend QuantUNet",
            hint=f"After write(), every quantunet command takes {model.config.get_output_dir()}/graph.json as its "
            "model; quantunet.golden.run evaluates it.",
        )

    def build(self, model: Any, **_: Any) -> dict[str, Any]:
        """Synthesis is a step of its own.

        Raises:
            ToolMissingError: Always.
        """
        raise ToolMissingError(
            model.config.get_project_name(),
            expected="write()",
            got="build() of the backend QuantUNet",
            hint=f"After write(): quantunet hls_synth --model {model.config.get_output_dir()}/graph.json",
        )
