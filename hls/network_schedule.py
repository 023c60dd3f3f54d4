"""Exact cycles of a whole streaming design, by recurrences over its beats; no data, no clock.

A beat moves in the first cycle in which it is offered, its reader has room for it, and the beat before it has moved.
When it is offered, and when there is room, follow from earlier moves: each module adds its own rules, which stand here
beside the name of the SystemVerilog file that they are taken from. The modules have no choices that depend on time
(which of two streams is read next, for example, is fixed), so the cycle of every handshake is the solution of these
recurrences, whatever the order in which they are solved. If none can be solved any further before the last beat has
left, the design is in deadlock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from quantunet.hls import constant_schedule
from quantunet.hls.design import Design, Instance
from quantunet.hls.matrix_vector import LATENCY as MATRIX_LATENCY

CREDITS = 16
"""Beats of the output FIFO of a convolution, ``qun_credit_fifo``."""

SLICE_BEATS = 2
"""Beats that a ``qun_register_slice`` holds."""

FIFO_SHALLOW = 16
"""Depth up to which ``qun_fifo`` passes a beat on after one cycle; a deeper one takes four."""

_PREFETCH = 4
_READ_LATENCY = 3

MAXPOOL_STAGES = 5
SIGMOID_STAGES = 1
"""Registers before the output's register slice, which move together."""


@dataclass
class _Wire:
    """One stream: the cycles from which its beats are offered, and those in which they move."""

    name: str
    beats: int
    offered: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)


_Process = Iterator[None]
"""Solves as many recurrences of one module as it can, and yields when it needs a time that is not known yet."""


@dataclass(frozen=True)
class Schedule:
    """The cycles of a design with a source that always has a beat and a sink that is always ready.

    Attributes:
        first_output: Cycles from the first input handshake to the first output handshake, both included; 0 without one.
        frame_ends: Cycles from the first input handshake to the last output handshake of each frame, both included.
        highest: Highest fill of each FIFO, in beats, by the instance's name.
        stuck: Streams on which a beat waits for room when nothing moves any more; empty when all frames come out.
    """

    first_output: int
    frame_ends: tuple[int, ...]
    highest: Mapping[str, int]
    stuck: tuple[str, ...]

    @property
    def frame_interval(self) -> int:
        """Cycles between the last two frames, or 0 where there are fewer."""
        return self.frame_ends[-1] - self.frame_ends[-2] if len(self.frame_ends) > 1 else 0


def schedule(
    design: Design,
    frames: int,
    *,
    limits: Mapping[str, int] | None = None,
    pace: int = 0,
) -> Schedule:
    """Return the cycles of a design over adjacent frames.

    Args:
        design: A network with one input and one output.
        frames: How many.
        limits: Beats at which FIFOs count as full, instead of their depths, by the instance's name.
        pace: Frame interval at which the source spreads the input's beats evenly; 0 for one that never waits.
    """
    (source,), (sink,) = design.inputs, design.outputs
    wires = {stream.name: _Wire(stream.name, stream.beats * frames) for stream in design.streams}
    readers = {name: instance.name for instance in design.instances for _, name in instance.inputs}
    writers = {name: instance.name for instance in design.instances for _, name in instance.outputs}
    processes: dict[str, _Process] = {}
    neighbours: dict[str, list[str]] = {}
    for instance in design.instances:
        params = {name: value for name, value in instance.params if isinstance(value, int)}
        if limits and instance.name in limits:
            params["Limit"] = limits[instance.name]
        ports = [[wires[name] for _, name in side] for side in (instance.inputs, instance.outputs)]
        processes[instance.name] = _PROCESSES[instance.kind](params, *ports)
        before = [writers[name] for _, name in instance.inputs if name in writers]
        after = [readers[name] for _, name in instance.outputs if name in readers]
        neighbours[instance.name] = before + after
    beats = wires[source].beats
    wires[source].offered = [k * pace // (beats // frames) for k in range(beats)]
    processes[_SINK] = _sink(wires[sink])
    neighbours[writers[sink]].append(_SINK)
    neighbours[_SINK] = [writers[sink]]
    _solve(processes, neighbours, wires, design)
    begin = wires[source].moved[0] - 1
    output = wires[sink].moved
    return Schedule(
        first_output=output[0] - begin if output else 0,
        frame_ends=tuple(cycle - begin for cycle in output[beats_per_frame - 1 :: beats_per_frame])
        if (beats_per_frame := wires[sink].beats // frames)
        else (),
        highest={i.name: _highest(i, wires) for i in design.instances if i.module == "qun_fifo"},
        stuck=() if len(output) == wires[sink].beats else _stuck(tuple(wires.values())),
    )


_SINK = ""


def _solve(
    processes: Mapping[str, _Process],
    neighbours: Mapping[str, Sequence[str]],
    wires: Mapping[str, _Wire],
    design: Design,
) -> None:
    """Let every process go on until none of them can; one that got further wakes its neighbours."""
    times: dict[str, list[list[int]]] = {_SINK: [wires[design.outputs[0]].moved]}
    for instance in design.instances:
        ports = [wires[name] for _, name in (*instance.inputs, *instance.outputs)]
        times[instance.name] = [cycles for wire in ports for cycles in (wire.offered, wire.moved)]
    known = dict.fromkeys(processes, -1)
    waiting = deque(processes)
    queued = set(waiting)
    while waiting:
        name = waiting.popleft()
        queued.discard(name)
        next(processes[name])
        count = 0
        for cycles in times[name]:
            count += len(cycles)
        if count != known[name]:
            known[name] = count
            for other in neighbours[name]:
                if other not in queued:
                    queued.add(other)
                    waiting.append(other)


def _highest(instance: Instance, wires: Mapping[str, _Wire]) -> int:
    came = np.asarray(wires[instance.inputs[0][1]].moved, dtype=np.int64)
    left = np.asarray(wires[instance.outputs[0][1]].moved, dtype=np.int64)
    inside = np.arange(1, len(came) + 1) - np.searchsorted(left, came, side="right")
    return int(inside.max(initial=0))


def _stuck(wires: Sequence[_Wire]) -> tuple[str, ...]:
    return tuple(wire.name for wire in wires if len(wire.offered) > len(wire.moved))


def _sink(wire: _Wire) -> _Process:
    cycle = -1
    while True:
        for offered in wire.offered[len(wire.moved) :]:
            cycle = max(offered, cycle + 1)
            wire.moved.append(cycle)
        yield


def _requant(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_requant.sv``: a register slice."""
    return _buffer(inputs[0], outputs[0], SLICE_BEATS)


def _fifo(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_fifo.sv``."""
    rules = _buffer if params["Depth"] <= FIFO_SHALLOW else _deep_fifo
    return rules(inputs[0], outputs[0], params.get("Limit", params["Depth"]))


def _buffer(source: _Wire, target: _Wire, depth: int) -> _Process:
    """A beat takes one cycle; there is room from the cycle after the one in which the beat ``depth`` before it left."""
    came, left = source.moved, target.moved
    cycle = -1
    while True:
        for k in range(len(came), min(len(source.offered), len(left) + depth)):
            cycle = max(source.offered[k], cycle + 1)
            if k >= depth:
                cycle = max(cycle, left[k - depth] + 1)
            came.append(cycle)
            target.offered.append(cycle + 1)
        yield


def _deep_fifo(source: _Wire, target: _Wire, depth: int) -> _Process:
    """A block memory with a prefetch of four beats behind it."""
    came, left = source.moved, target.moved
    cycle = read = -1
    while True:
        moved = True
        while moved:
            moved = False
            for k in range(len(came), min(len(source.offered), len(left) + depth)):
                cycle = max(source.offered[k], cycle + 1)
                if k >= depth:
                    cycle = max(cycle, left[k - depth] + 1)
                came.append(cycle)
            for k in range(len(target.offered), min(len(came), len(left) + _PREFETCH)):
                read = max(came[k] + 1, read + 1)
                if k >= _PREFETCH:
                    read = max(read, left[k - _PREFETCH] + 1)
                target.offered.append(read + _READ_LATENCY)
        yield


def _fork(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_fork.sv``: a register slice whose beat leaves when every reader has taken it."""
    (source,) = inputs
    branches = [output.moved for output in outputs]
    done: list[int] = []
    cycle = -1
    while True:
        moved = True
        while moved:
            moved = False
            for k in range(len(done), min(len(branch) for branch in branches)):
                done.append(max(branch[k] for branch in branches))
            for k in range(len(source.moved), min(len(source.offered), len(done) + SLICE_BEATS)):
                cycle = max(source.offered[k], cycle + 1)
                if k >= SLICE_BEATS:
                    cycle = max(cycle, done[k - SLICE_BEATS] + 1)
                source.moved.append(cycle)
            for k in range(len(outputs[0].offered), min(len(source.moved), len(done) + 1)):
                offered = source.moved[k] + 1
                if k:
                    offered = max(offered, done[k - 1] + 1)
                for output in outputs:
                    output.offered.append(offered)
        yield


def _width_adapter(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_width_adapter.sv``: beats are collected into groups, with a register slice on the narrower side."""
    lanes_in, lanes_out = params["InLanes"], params["OutLanes"]
    group = int(np.lcm(lanes_in, lanes_out))
    adapter = _widen if lanes_in < lanes_out else _narrow
    return adapter(inputs[0], outputs[0], group // lanes_in, group // lanes_out)


def _widen(source: _Wire, target: _Wire, group_in: int, group_out: int) -> _Process:
    """Slice, collector, group: the last beat of a group needs the group register, and may follow in the same cycle."""
    collected: list[int] = []
    cycle = collect = -1
    while True:
        before = -1
        while before != len(source.moved) + len(collected):
            before = len(source.moved) + len(collected)
            for k in range(len(source.moved), min(len(source.offered), len(collected) + SLICE_BEATS)):
                cycle = max(source.offered[k], cycle + 1)
                if k >= SLICE_BEATS:
                    cycle = max(cycle, collected[k - SLICE_BEATS] + 1)
                source.moved.append(cycle)
            for k in range(len(collected), len(source.moved)):
                collect = max(source.moved[k] + 1, collect + 1)
                number, place = divmod(k, group_in)
                if place == group_in - 1:
                    if len(target.moved) < number * group_out:
                        collect = collected[-1] if collected else -1
                        break
                    if number:
                        collect = max(collect, target.moved[number * group_out - 1])
                    target.offered.extend([collect + 1] * group_out)
                collected.append(collect)
        yield


def _narrow(source: _Wire, target: _Wire, group_in: int, group_out: int) -> _Process:
    """Collector, group, slice."""
    entered: list[int] = []  # when beats go from the group register to the slice
    loaded: list[int] = []
    cycle = enter = -1
    while True:
        before = -1
        while before != len(source.moved) + len(entered):
            before = len(source.moved) + len(entered)
            for k in range(len(source.moved), len(source.offered)):
                number, place = divmod(k, group_in)
                earliest = max(source.offered[k], cycle + 1)
                if place == group_in - 1:
                    if len(entered) < number * group_out:
                        break
                    if number:
                        earliest = max(earliest, entered[number * group_out - 1])
                    loaded.append(earliest)
                cycle = earliest
                source.moved.append(cycle)
            for k in range(len(entered), min(len(loaded) * group_out, len(target.moved) + SLICE_BEATS)):
                enter = max(loaded[k // group_out] + 1, enter + 1)
                if k >= SLICE_BEATS:
                    enter = max(enter, target.moved[k - SLICE_BEATS] + 1)
                entered.append(enter)
                target.offered.append(enter + 1)
        yield


def _concat(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_concat.sv``: a register slice behind a multiplexer that turns with every pixel."""
    (skip, up), (target,) = inputs, outputs
    turn = [skip] * (params["SkipChannels"] // params["Lanes"]) + [up] * (params["UpChannels"] // params["Lanes"])
    left = target.moved
    cycle = -1
    while True:
        for k in range(len(target.offered), len(left) + SLICE_BEATS):
            leg = turn[k % len(turn)]
            if len(leg.offered) == len(leg.moved):
                break
            cycle = max(leg.offered[len(leg.moved)], cycle + 1)
            if k >= SLICE_BEATS:
                cycle = max(cycle, left[k - SLICE_BEATS] + 1)
            leg.moved.append(cycle)
            target.offered.append(cycle + 1)
        yield


def _conv2d(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_conv2d.sv``: the ring of ``qun_sliding_window.sv`` and the credits of ``qun_credit_fifo.sv``."""
    height, width, kernel = params["Height"], params["Width"], params["Kernel"]
    in_folds, out_folds = params["InChannels"] // params["Simd"], params["OutChannels"] // params["Pe"]
    pixels = height * width
    firings = [(pixel, last_needed(pixel, height, width, kernel)) for pixel in range(pixels)]
    frees = [[pixel] for pixel in range(pixels)]
    return _matrix(
        inputs[0],
        outputs[0],
        pixels,
        in_folds,
        needs=[need for _, need in firings],
        frees=frees,
        folds=out_folds,
        taps=kernel * kernel * in_folds,
        room=ring_room(width, kernel),
    )


def _conv2d_constant(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_conv2d_constant.sv``."""
    return constant_schedule.schedule(params, inputs[0], outputs[0])


def ring_room(width: int, kernel: int) -> int:
    """Return the pixels that ``qun_sliding_window`` holds from the current one on."""
    return width + 3 if kernel == 3 else 2


def last_needed(pixel: int, height: int, width: int, kernel: int) -> int:
    """Return the last pixel in a pixel's window that lies in the frame."""
    row, column = divmod(pixel, width)
    margin = kernel // 2
    return min(row + margin, height - 1) * width + min(column + margin, width - 1)


def _conv_transpose2d(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_conv_transpose2d.sv``: each row of ``qun_row_repeat.sv`` is read twice, and given up in the second pass."""
    height, width = params["Height"], params["Width"]
    in_folds, out_folds = params["InChannels"] // params["Simd"], params["OutChannels"] // params["Pe"]
    order = [(row * width + x, second) for row in range(height) for second in (False, True) for x in range(width)]
    return _matrix(
        inputs[0],
        outputs[0],
        height * width,
        in_folds,
        needs=[pixel for pixel, _ in order],
        frees=[[pixel] if second else [] for pixel, second in order],
        folds=2 * out_folds,
        taps=in_folds,
        room=width + 2,
    )


def _matrix(
    source: _Wire,
    target: _Wire,
    pixels: int,
    in_folds: int,
    *,
    needs: Sequence[int],
    frees: Sequence[Sequence[int]],
    folds: int,
    taps: int,
    room: int,
) -> _Process:
    """A buffer of pixels, and firings of ``folds`` folds of ``taps`` cycles, each of which makes a beat.

    Args:
        source: Input.
        target: Output.
        pixels: Pixels of a frame.
        in_folds: Beats of a pixel.
        needs: The pixel that must have come, for each firing of a frame.
        frees: The pixels whose places are free after each firing.
        folds: Folds of a firing.
        taps: Cycles of a fold.
        room: Pixels that the buffer holds.
    """
    came, left = source.moved, target.moved
    freed: list[int] = []  # when a pixel's place was given up, in the pixels' order
    cycle, start, beat = -1, -taps, 0
    while True:
        before = -1
        while before != len(came) + beat:
            before = len(came) + beat
            for k in range(len(came), min(len(source.offered), (len(freed) + room) * in_folds)):
                cycle = max(source.offered[k], cycle + 1)
                if k >= room * in_folds:
                    cycle = max(cycle, freed[k // in_folds - room] + 1)
                came.append(cycle)
            while beat < target.beats and beat < len(left) + CREDITS:
                firing, fold = divmod(beat, folds)
                frame, place = divmod(firing, len(needs))
                last = (frame * pixels + needs[place] + 1) * in_folds - 1
                if last >= len(came):
                    break
                start = max(start + taps, came[last] + 1)
                if beat >= CREDITS:
                    start = max(start, left[beat - CREDITS] + 1)
                target.offered.append(start + taps - 1 + MATRIX_LATENCY)
                beat += 1
                if fold == folds - 1:
                    freed.extend(start + taps - 1 for _ in frees[place])
        yield


def _sigmoid(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_sigmoid.sv``."""
    return _rigid(inputs[0], outputs[0], [True], SIGMOID_STAGES)


def _maxpool2d(params: Mapping[str, int], inputs: Sequence[_Wire], outputs: Sequence[_Wire]) -> _Process:
    """``qun_maxpool2d.sv``: the beats of odd columns of odd rows make one."""
    groups = params["Channels"] // params["Lanes"]
    odd_row = [False] * groups + [True] * groups
    makes = [False] * (params["Width"] * groups) + odd_row * (params["Width"] // 2)
    return _rigid(inputs[0], outputs[0], makes, MAXPOOL_STAGES)


def _rigid(source: _Wire, target: _Wire, makes: Sequence[bool], stages: int) -> _Process:
    """A pipeline that stands still, with its gaps, while the register slice behind it is full.

    Args:
        source: Input.
        target: Output.
        makes: Whether an input beat makes an output beat; repeats.
        stages: Registers before the slice.
    """
    came, left = source.moved, target.moved
    underway: deque[int] = deque()  # when beats reach the slice, in cycles in which the pipeline moves
    pauses: deque[tuple[int, int]] = deque()  # the last pauses: the cycle before, and the length
    paused = 0  # cycles of all pauses so far
    judged = 0  # output beats whose pause is known
    cycle = -1
    while True:
        moved = True
        while moved:
            moved = False
            if judged < len(target.offered) and (judged == 0 or len(left) >= judged):
                # The slice is full from the cycle after a beat came to it until the beat before has left.
                pushed = target.offered[judged] - 1
                pause = max(0, left[judged - 1] - pushed) if judged else 0
                if pause:
                    pauses.append((pushed, pause))
                    paused += pause
                judged += 1
                moved = True
            if underway and judged == len(target.offered):
                target.offered.append(underway.popleft() + paused + 1)
                moved = True
            k = len(came)
            if k < len(source.offered):
                earliest = max(source.offered[k], cycle + 1)
                for pushed, pause in pauses:
                    if pushed < earliest <= pushed + pause:
                        earliest = pushed + pause + 1
                next_push = underway[0] + paused if underway else None
                unknown = judged < len(target.offered) and target.offered[judged] - 1 < earliest
                if not unknown and (next_push is None or next_push >= earliest):
                    cycle = earliest
                    came.append(cycle)
                    if makes[k % len(makes)]:
                        later = sum(pause for pushed, pause in pauses if pushed >= cycle)
                        underway.append(cycle - (paused - later) + stages)
                    while pauses and pauses[0][0] + pauses[0][1] < cycle:
                        pauses.popleft()
                    moved = True
        yield


_PROCESSES: dict[str, Callable[[Mapping[str, int], Sequence[_Wire], Sequence[_Wire]], _Process]] = {
    "qun_concat": _concat,
    "qun_conv2d": _conv2d,
    "qun_conv2d_constant": _conv2d_constant,
    "qun_conv_transpose2d": _conv_transpose2d,
    "qun_fifo": _fifo,
    "qun_fork": _fork,
    "qun_maxpool2d": _maxpool2d,
    "qun_requant": _requant,
    "qun_sigmoid": _sigmoid,
    "qun_width_adapter": _width_adapter,
}
"""The rules of every module of the library that has streams."""
