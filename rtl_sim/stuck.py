"""Who waits for whom in a design in which nothing moves any more."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from quantunet.hls.design import Design, Instance
from quantunet.rtl_sim.bench_result import StreamResult

_SOURCE, _SINK = "the bench's source", "the bench's sink"


@dataclass(frozen=True)
class _Wait:
    """An instance waits for another: for its ``data``, or for ``room``, that is, until it takes a beat."""

    kind: str
    name: str
    target: str
    stream: StreamResult


def stuck_streams(design: Design, streams: Sequence[StreamResult]) -> tuple[str, ...]:
    """Say why a design has stopped.

    An instance whose beat nobody takes waits for room in that beat's reader; one that has no beat on offer waits for
    data from the writers of its empty inputs. Followed from the design's output, these waits either close a circle,
    which is a deadlock, or end at the one that has all it needs and does nothing.

    Args:
        design: The design.
        streams: What the monitors saw at the end.

    Returns:
        What has stopped, and then a line for each run of waits of one kind: the beat that does not come, and the
        instances on the way, width adapters left out, with the fill of the FIFOs.
    """
    return tuple(_Waits(design, streams).lines())


class _Waits:
    def __init__(self, design: Design, streams: Sequence[StreamResult]) -> None:
        self.state = {stream.name: stream for stream in streams}
        self.instances = {instance.name: instance for instance in design.instances}
        self.writer = {name: i.name for i in design.instances for _, name in i.outputs}
        self.reader = {name: i.name for i in design.instances for _, name in i.inputs}
        self.outputs = design.outputs

    def lines(self) -> list[str]:
        waits: list[_Wait] = []
        names = [_SINK]
        while (wait := self._wait(names[-1])) is not None:
            waits.append(wait)
            if wait.target in names:
                return self._deadlock(waits[names.index(wait.target) :])
            names.append(wait.target)
        return [self._culprit(names[-1]), *self._runs(waits)]

    def _wait(self, name: str) -> _Wait | None:
        """Return what an instance waits for; ``None`` if for nothing."""
        if name == _SINK:
            inputs, outputs = list(self.outputs), []
        elif name == _SOURCE:
            inputs, outputs = [], [stream for stream in self.state if stream not in self.writer]
        else:
            inputs = [stream for _, stream in self.instances[name].inputs]
            outputs = [stream for _, stream in self.instances[name].outputs]
        for state in (self.state[stream] for stream in outputs):
            if state.valid and not state.ready:
                return _Wait("room", name, self.reader.get(state.name, _SINK), state)
        for state in (self.state[stream] for stream in inputs):
            if not state.valid and state.beats < state.beats_expected:
                return _Wait("data", name, self.writer.get(state.name, _SOURCE), state)
        return None

    def _deadlock(self, circle: list[_Wait]) -> list[str]:
        begin = next((i for i, wait in enumerate(circle) if wait.kind != circle[i - 1].kind == "room"), 0)
        circle = [*circle[begin:], *circle[:begin]]
        full = [self._title(wait.name) for wait in circle if self._is_full(wait.name)]
        what = " and ".join(full) or "no FIFO"
        return [f"deadlock: {what} in a circle of streams that wait for each other", *self._runs(circle)]

    def _culprit(self, name: str) -> str:
        if name == _SINK:
            return f"{_SINK} does not take the beat that it is offered"
        if name == _SOURCE:
            return f"{_SOURCE} has nothing more to give"
        return f"{name} has its inputs and gives nothing"

    def _runs(self, waits: Sequence[_Wait]) -> list[str]:
        """Return a line for each run of waits of one kind."""
        lines: list[str] = []
        for kind, run in itertools.groupby(waits, key=lambda wait: wait.kind):
            steps = list(run)
            arrow = " <- " if kind == "data" else " -> "
            way = arrow.join(self._title(wait.target) for wait in steps if not self._is_adapter(wait.target))
            stream = steps[0].stream
            beat = f"beat {stream.beats + 1} of {stream.beats_expected} of {stream.name}"
            lines.append(f"{self._title(steps[0].name)} waits for {kind} ({beat}): {way}")
        return lines

    def _is_adapter(self, name: str) -> bool:
        return name in self.instances and self.instances[name].module == "qun_width_adapter"

    def _is_full(self, name: str) -> bool:
        return self._fifo(name) is not None and self._fill(name) >= self._depth(name)

    def _title(self, name: str) -> str:
        if self._fifo(name) is None:
            return name
        full = "full, " if self._is_full(name) else ""
        return f"FIFO {name} ({full}{self._fill(name)} of {self._depth(name)} beats)"

    def _fifo(self, name: str) -> Instance | None:
        instance = self.instances.get(name)
        return instance if instance is not None and instance.module == "qun_fifo" else None

    def _depth(self, name: str) -> int:
        return int(dict(self.instances[name].params)["Depth"])

    def _fill(self, name: str) -> int:
        instance = self.instances[name]
        ((_, source),), ((_, target),) = instance.inputs, instance.outputs
        return self.state[source].beats - self.state[target].beats
