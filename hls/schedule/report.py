"""Everything that is computed about the FIFOs of a network: what they must hold, what they get, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from quantunet.hls.design import Design
from quantunet.hls.folding import Folding
from quantunet.hls.modules.fifo import SHALLOW
from quantunet.hls.network import build, fifo_before
from quantunet.hls.resources.memory_map import map_banked_ram
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.full_speed import full_speed_depths
from quantunet.ir import Graph

EXACT_BEATS = 500_000
"""Up to this many beats a frame, on all streams, the smallest depths at full speed are looked for by default."""


@dataclass(frozen=True)
class FifoRow:
    """One FIFO; depths in beats.

    Attributes:
        name: The instance.
        reader: The layer that reads it.
        bits: Bits of a beat.
        frame: Beats of a frame.
        least: The smallest depth without deadlock; 0 where there is none.
        one_frame: A depth that is enough for a single frame at full speed.
        full_speed: The smallest depth at full speed over adjacent frames; ``None`` where it was not looked for.
        depth: The depth that the design has.
    """

    name: str
    reader: str
    bits: int
    frame: int
    least: int
    one_frame: int
    full_speed: int | None
    depth: int

    @property
    def share(self) -> float:
        """The depth as a share of a frame."""
        return self.depth / self.frame

    @property
    def memory_bits(self) -> int:
        """Bits that are stored."""
        return self.depth * self.bits

    @property
    def block_rams(self) -> int:
        """Block RAMs of 18 kbit on an ECP5."""
        return 0 if self.depth <= SHALLOW else map_banked_ram(self.bits, self.depth).block


@dataclass(frozen=True)
class FifoReport:
    """The FIFOs of a network.

    Attributes:
        network: Its name.
        interval: Cycles between frames, those of the slowest layer.
        design: The design, with its FIFOs.
        rows: One for each FIFO.
    """

    network: str
    interval: int
    design: Design
    rows: tuple[FifoRow, ...]


def fifo_report(graph: Graph, folding: Folding, *, exact: bool | None = None) -> FifoReport:
    """Compute everything about the FIFOs of a network.

    Args:
        graph: A network with one input.
        folding: The fold of every layer.
        exact: Whether to look for the smallest depths at full speed, which takes a minute for a network of 128 x 128
            pixels; ``None`` does so for networks of at most :data:`EXACT_BEATS`.

    Raises:
        FoldingError: The folding does not fit the graph.
    """
    depths = fifo_depths(graph, folding)
    design = build(graph, folding, depths)
    interval = frame_interval(graph, folding)
    one_frame = fifo_depths(graph, folding, frames=1)
    least = least_depths(design)
    if exact is None:
        exact = sum(stream.beats for stream in design.streams) <= EXACT_BEATS
    full_speed = full_speed_depths(design, interval, least) if exact else {}
    streams = {stream.name: stream for stream in design.streams}
    instances = {instance.name: instance for instance in design.instances}
    names = {fifo_before(design, *place): place for place in depths}
    rows = []
    for name, place in names.items():
        stream = streams[instances[name].inputs[0][1]]
        rows.append(
            FifoRow(
                name=name,
                reader=place[0],
                bits=stream.data_bits,
                frame=stream.beats,
                least=least[name],
                one_frame=one_frame.get(place, 0),
                full_speed=full_speed.get(name),
                depth=depths[place],
            )
        )
    return FifoReport(graph.name, interval, design, tuple(rows))
