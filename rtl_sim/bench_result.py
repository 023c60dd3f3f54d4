"""What a bench leaves behind: files in its working folder, and the result that both sides of the simulator read."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from quantunet.compare import Difference

CONFIG_FILE = "bench.json"
EXPECTED_FILE = "expected.npy"
RESULT_FILE = "result.json"
STREAMS_FILE = "streams.txt"
WAVE_FILE = "wave.vcd"
"""Files of a bench in its working folder, written before and after the simulation."""

NEVER = 2**64 - 1
"""A cycle that did not come."""


@dataclass(frozen=True)
class StreamResult:
    """What the monitor of one stream inside a design saw.

    Attributes:
        name: The stream.
        layer: The layer that writes it, where its values were compared with golden's; ``None`` for plumbing.
        beats: Beats that passed.
        beats_expected: Those of all frames.
        valid: Whether a beat was on offer at the end.
        ready: Whether the reader would have taken it.
        first_cycle: Cycles from the first input handshake to the stream's first beat, both included; 0 if none passed.
        last_cycle: Likewise to its last beat.
        values_compared: Values that came and were looked at.
        mismatches: Those that differ.
        first: The first of them.
    """

    name: str
    layer: str | None
    beats: int
    beats_expected: int
    valid: bool
    ready: bool
    first_cycle: int
    last_cycle: int
    values_compared: int = 0
    mismatches: int = 0
    first: Difference | None = None

    @property
    def wrong(self) -> str | None:
        """What is wrong with the beats that came, in words; ``None`` if nothing is, or for plumbing."""
        if self.layer is None:
            return None
        if self.mismatches:
            return f"{self.mismatches} of {self.values_compared} values differ, first {self.first}"
        if self.beats > self.beats_expected:
            return f"{self.beats - self.beats_expected} beats too many"
        return None

    @property
    def missing(self) -> str | None:
        """What did not come of a layer's values, in words; ``None`` if all came, or for plumbing."""
        if self.layer is None or (self.beats >= self.beats_expected and self.values_compared):
            return None
        return f"{self.beats} of {self.beats_expected} beats came, {self.values_compared} values were compared"

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> StreamResult:
        """Return the result that :func:`dataclasses.asdict` has taken apart."""
        first = fields["first"]
        return cls(**{**fields, "first": None if first is None else Difference(**first)})


@dataclass(frozen=True)
class BenchResult:
    """What a simulation showed.

    Attributes:
        values_compared: Values of the expected output, all of which were looked at.
        mismatches: Values that differ or are missing.
        first: The first of them.
        extra_beats: Beats that came after the last expected one.
        unstable: Cycles in which a waiting beat changed.
        wrong_last: Beats with a wrong ``tlast``.
        timed_out: Whether nothing moved any more before all had come.
        first_output: Cycles from the first input handshake to the first output handshake, both included.
        frame_ends: Cycles from the first input handshake to the last output handshake of each frame, both included.
        fifo_max_fill: Depth and highest fill of each FIFO.
        last_cycle: The simulator's cycle of the last output handshake.
        found_cycle: The simulator's cycle of the beat that was asked for with ``+find_beat``; ``None`` without one.
        streams: What the monitors saw, in the design's order; layers come in the network's order.
        stuck: Where nothing moves any more, who waits for what, a line each.
        broken: Assertions of the design or of a stream's checker that failed, a line each.
        seconds: Wall time of the simulation.
    """

    values_compared: int
    mismatches: int
    first: Difference | None
    extra_beats: int
    unstable: int
    wrong_last: int
    timed_out: bool
    first_output: int
    frame_ends: tuple[int, ...]
    fifo_max_fill: dict[str, tuple[int, int]]
    last_cycle: int
    found_cycle: int | None = None
    streams: tuple[StreamResult, ...] = ()
    stuck: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words; empty when the bench has passed."""
        found = []
        if self.values_compared == 0:
            found.append("nothing was compared")
        if self.mismatches:
            found.append(f"{self.mismatches} of {self.values_compared} values differ, first {self.first}")
        for what in ("wrong",) if self.timed_out else ("wrong", "missing"):
            layers = [(stream.layer, getattr(stream, what)) for stream in self.layers if getattr(stream, what)]
            if layers:
                others = f" (and {len(layers) - 1} other layers)" if len(layers) > 1 else ""
                found.append(f"{layers[0][0]} inside the design: {layers[0][1]}{others}")
        if self.timed_out:
            found.append("the stream stopped before its end")
            found += self.stuck
        if self.extra_beats:
            found.append(f"{self.extra_beats} beats too many")
        if self.unstable:
            found.append(f"a waiting beat changed {self.unstable} times")
        if self.wrong_last:
            found.append(f"{self.wrong_last} wrong tlast")
        if self.broken:
            others = f" (and {len(self.broken) - 3} other assertions)" if len(self.broken) > 3 else ""
            found.append(f"assertion failed: {'; '.join(self.broken[:3])}{others}")
        return found

    @property
    def layers(self) -> tuple[StreamResult, ...]:
        """The streams whose values were compared with golden's, one a layer."""
        return tuple(stream for stream in self.streams if stream.layer is not None)

    @property
    def passed(self) -> bool:
        """Whether values were compared and nothing is wrong."""
        return not self.problems

    @property
    def cycles(self) -> int:
        """Cycles of the first frame, or 0 where it did not end."""
        return self.frame_ends[0] if self.frame_ends else 0

    @property
    def frame_interval(self) -> int:
        """Cycles between the last two frames, or 0 where there are fewer."""
        return self.frame_ends[-1] - self.frame_ends[-2] if len(self.frame_ends) > 1 else 0

    def to_json(self) -> str:
        """Return the result as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> BenchResult:
        """Read what :meth:`to_json` returned."""
        fields = json.loads(text)
        first = fields.pop("first")
        fields["first"] = None if first is None else Difference(**first)
        fields["frame_ends"] = tuple(fields["frame_ends"])
        fields["fifo_max_fill"] = {name: tuple(pair) for name, pair in fields["fifo_max_fill"].items()}
        fields["streams"] = tuple(StreamResult.from_fields(stream) for stream in fields["streams"])
        fields["stuck"], fields["broken"] = tuple(fields["stuck"]), tuple(fields["broken"])
        return cls(**fields)
