"""The report of a co-simulation: ``report.json`` for tools, JUnit XML for continuous integration."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantunet import junit, result_folder
from quantunet.compare import Difference
from quantunet.golden.histogram import Histogram
from quantunet.page.render import NAME as PAGE
from quantunet.provenance import Provenance
from quantunet.rtl_sim.frames import CompactTaps
from quantunet.storage import write_bytes, write_text

DOCUMENT, JUNIT = "report.json", "junit.xml"

WAITING, RUNNING, PASSED, FAILED, LEFT_OUT = "waiting", "running", "passed", "failed", "left out"
BROKEN = "tool failed"
"""How far a leg of the comparison is. ``failed`` means compared and different, ``tool failed`` not compared."""


@dataclass
class LayerReport:
    """One layer of the co-simulation; the fields are those of ``report.json``.

    Attributes:
        name: The layer.
        op: Its op.
        shape_in: ``(height, width, channels)`` of the first input.
        shape_out: Likewise of the output.
        bits_w: Width of the weights; 0 where there are none.
        bits_in: Width of the input.
        bits_out: Width of the output.
        pe: Output lanes.
        simd: Input lanes.
        stalls: The pattern in which sources and sinks stalled.
        cycles_predicted: For one frame without stalls, first input to last output handshake.
        cycles_ideal: Cycles in which the busiest resource has work.
        first_output_predicted: Cycles from the first input to the first output handshake, without stalls.
        frames: Frames simulated.
        values_compared: Output values that were compared with golden, in each leg that was not left out.
        hls_mismatches: Values of the HLS C simulation that differ from golden.
        rtl_mismatches: Values of the RTL that differ from golden.
        cycles: Simulated cycles of the first frame.
        first_output: Simulated cycles to the first output handshake.
        seconds: Time that the layer's tasks took, builds included.
        hls: How far the HLS leg is: ``waiting``, ``running``, ``passed``, ``failed``, ``tool failed`` or
            ``left out``.
        rtl: How far the RTL leg is.
        hls_first: The first value of the HLS C simulation that differs.
        rtl_first: The first value of the RTL that differs.
        problems: What is wrong, in words.
        waveform: A VCD file around the first wrong value of the RTL.
        waveform_cycle: Its cycle in that file, where it is known.
    """

    name: str
    op: str
    shape_in: tuple[int, int, int]
    shape_out: tuple[int, int, int]
    bits_w: int
    bits_in: int
    bits_out: int
    pe: int
    simd: int
    stalls: str
    cycles_predicted: int
    cycles_ideal: int
    first_output_predicted: int
    frames: int = 1
    values_compared: int = 0
    hls_mismatches: int = 0
    rtl_mismatches: int = 0
    cycles: int = 0
    first_output: int = 0
    seconds: float = 0.0
    hls: str = WAITING
    rtl: str = WAITING
    hls_first: Difference | None = None
    rtl_first: Difference | None = None
    problems: list[str] = field(default_factory=list)
    waveform: str | None = None
    waveform_cycle: int | None = None

    @property
    def passed(self) -> bool:
        """Whether every leg that was not left out has passed, at least one, and something was compared."""
        legs = {self.hls, self.rtl}
        return PASSED in legs and legs <= {PASSED, LEFT_OUT} and self.values_compared > 0


@dataclass
class InnerLayer:
    """A layer inside the whole network, with the input that the layers before it made.

    Attributes:
        name: The layer.
        values_compared: Values of its output, over all frames.
        mismatches: Those that differ from golden.
        first_cycle: Cycles from the network's first input handshake to the layer's first beat, both included.
        last_cycle: Likewise to its last beat.
    """

    name: str
    values_compared: int
    mismatches: int
    first_cycle: int
    last_cycle: int


@dataclass
class NetworkReport:
    """The whole network as one streaming design; the fields are those of ``report.json``.

    Attributes:
        frames: Adjacent frames.
        values_compared: Values of the network's output, over all frames.
        mismatches: Those that differ from golden.
        mask_pixels: Pixels of the masks or class maps compared with golden's.
        mask_mismatches: Those that differ.
        cycles: Of the first frame, first input to last output handshake.
        frame_interval: Cycles between the last two frames.
        frame_interval_ideal: Cycles of the slowest layer, to which the interval settles.
        frame_interval_predicted: Cycles between these last two frames by the schedule of the design; 0 with stalls.
        frame_interval_steady: Likewise, between two frames long after the first.
        first_output: Cycles from the first input to the first output handshake.
        first_output_predicted: Likewise, of the schedule of the design; 0 with stalls.
        layers: Every layer inside the design, in the network's order.
        fifo_max_fill: Depth and highest fill of each FIFO, in beats.
        seconds: Time that the task took, build included.
        rtl: How far it is: ``waiting``, ``running``, ``passed``, ``failed`` or ``tool failed``.
        first: The first value of the network's output that differs.
        problems: What is wrong, in words.
        waveform: A VCD file around the first wrong value.
        waveform_cycle: Its cycle in that file, where it is known.
    """

    frames: int
    frame_interval_ideal: int
    stalls: str
    values_compared: int = 0
    mismatches: int = 0
    mask_pixels: int = 0
    mask_mismatches: int = 0
    cycles: int = 0
    frame_interval: int = 0
    frame_interval_predicted: int = 0
    frame_interval_steady: int = 0
    first_output: int = 0
    first_output_predicted: int = 0
    layers: list[InnerLayer] = field(default_factory=list)
    fifo_max_fill: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: float = 0.0
    rtl: str = WAITING
    first: Difference | None = None
    problems: list[str] = field(default_factory=list)
    waveform: str | None = None
    waveform_cycle: int | None = None

    @property
    def passed(self) -> bool:
        """Whether the network has passed, and something was compared at its output and in every layer."""
        inside = bool(self.layers) and all(layer.values_compared for layer in self.layers)
        return self.rtl == PASSED and self.values_compared > 0 and inside

    @property
    def values_inside(self) -> int:
        """Values of the layers inside the network that were compared."""
        return sum(layer.values_compared for layer in self.layers)


@dataclass
class CosimReport:
    """A co-simulation.

    Attributes:
        network: The network's name.
        simulator: Name and version.
        image: Where the image came from, and how its codes were made where nobody says what a byte means.
        layers: The layers, in the network's order.
        network_rtl: The whole network; ``None`` when only some layers were asked for.
        seconds: Wall time.
        stage: What is done before the first comparison, for a person who waits.
        sources: Digests of what was simulated, ``rtl`` and ``hls``; ``None`` for a leg that was left out.
        provenance: What the report is a report of; ``None`` where nobody has said it.
        tensors: Which codes golden's tensors of the image take, in the network's order.
        taps: These tensors by name.
        class_pixels: Of a network of several classes, the pixels of each class in golden's class map of the image.
        folder: Where :func:`write` has put it; ``None`` before.
    """

    network: str
    simulator: str
    image: str
    layers: list[LayerReport]
    network_rtl: NetworkReport | None
    seconds: float = 0.0
    stage: str = ""
    sources: dict[str, str | None] = field(default_factory=dict)
    provenance: Provenance | None = None
    tensors: list[Histogram] = field(default_factory=list)
    taps: CompactTaps = field(default_factory=dict)
    class_pixels: list[int] = field(default_factory=list)
    folder: Path | None = None

    @property
    def passed(self) -> bool:
        """Whether something was compared and everything has passed."""
        parts: list[LayerReport | NetworkReport] = [*self.layers]
        if self.network_rtl:
            parts.append(self.network_rtl)
        return bool(parts) and all(part.passed for part in parts)

    @property
    def differs(self) -> bool:
        """Whether something was compared and is not as it should be."""
        legs = [leg for layer in self.layers for leg in (layer.hls, layer.rtl)]
        return FAILED in legs or (self.network_rtl is not None and self.network_rtl.rtl == FAILED)

    @property
    def values_compared(self) -> int:
        """Values that were compared: of the layers alone, of the layers inside the network, and of its output."""
        rtl = self.network_rtl
        network = rtl.values_compared + rtl.values_inside if rtl else 0
        return sum(layer.values_compared for layer in self.layers) + network

    def failures(self) -> list[tuple[str, list[str], str | None]]:
        """Return name, problems and waveform of everything that has not passed."""
        found = [(layer.name, layer.problems, layer.waveform) for layer in self.layers if not layer.passed]
        if self.network_rtl and not self.network_rtl.passed:
            found.append(("network", self.network_rtl.problems, self.network_rtl.waveform))
        return found

    def document(self) -> dict[str, Any]:
        """Return what the JSON file holds, among others the fields of :class:`LayerReport` and of its network."""
        return {
            "network": self.network,
            "simulator": self.simulator,
            "image": self.image,
            "class_pixels": self.class_pixels,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
            "network_rtl": dataclasses.asdict(self.network_rtl) if self.network_rtl else None,
            "tensors": [_tensor(tensor) for tensor in self.tensors],
            "provenance": self.provenance.document() if self.provenance else None,
        }

    def to_json(self) -> str:
        """Return :meth:`document` as JSON."""
        return json.dumps(self.document(), indent=1) + "\n"


def _tensor(tensor: Histogram) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "type": str(tensor.qtype),
        "bits": tensor.qtype.bits,
        "values": tensor.values,
        "codes": tensor.distinct,
        "dead_codes": tensor.dead_codes,
        "zero_share": round(tensor.zero_share, 6),
        "saturated_share": round(tensor.saturated_share, 6),
        "channels": tensor.channels,
        "constant_channels": tensor.constant_channels,
    }


def remove(folder: Path) -> None:
    """Remove the report of an earlier run.

    Raises:
        StorageError: A file cannot be removed.
    """
    result_folder.remove(folder / DOCUMENT, folder / JUNIT, folder / PAGE)


def write(report: CosimReport, folder: Path) -> tuple[Path, Path]:
    """Write ``report.json`` and ``junit.xml``.

    Args:
        report: The report.
        folder: Where to.

    Returns:
        Both files.

    Raises:
        StorageError: A file cannot be written.
    """
    document, junit = folder / DOCUMENT, folder / JUNIT
    write_text(document, report.to_json())
    write_bytes(junit, _junit(report))
    report.folder = folder
    return document, junit


def _junit(report: CosimReport) -> bytes:
    rows: list[tuple[str, LayerReport | NetworkReport]] = [(layer.name, layer) for layer in report.layers]
    if report.network_rtl:
        rows.append(("network", report.network_rtl))
    cases = [
        junit.Case(
            name,
            None if row.passed else "; ".join(row.problems) or "did not run",
            f"waveform: {row.waveform}" if row.waveform else "",
            row.seconds,
        )
        for name, row in rows
    ]
    return junit.document(f"cosim.{report.network}", report.network, cases, report.seconds)
