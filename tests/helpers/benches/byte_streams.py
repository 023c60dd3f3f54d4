"""Streams of a module of the serial side, cycle by cycle: a writer and a reader with pauses of their own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from helpers.benches import axis
from helpers.benches.clocked import Clocked

Beat = Mapping[str, int]
"""Signals of an input, or of an output, in the cycle of a handshake."""

_PATIENCE = 200
"""Cycles in which something must happen."""


@dataclass(frozen=True)
class Way:
    """How beats are written and read.

    Attributes:
        pauses: Whether the writer pauses, in each cycle without an offer.
        reads: Whether the reader is ready, for whether it has seen an output that it has not taken.
    """

    pauses: Iterator[bool]
    reads: Callable[[bool], bool]


def full_speed() -> Way:
    """Return a way without pauses."""
    return Way(repeat(False), lambda waits: True)


def ways(rng: random.Random) -> dict[str, Way]:
    """Return different ways, with :func:`full_speed` as the first."""
    readers = axis.stalls(rng)
    return {
        "full speed": full_speed(),
        "pauses": Way(axis.stalls(rng), lambda waits: not next(readers)),
        "a reader that waits": Way(repeat(False), lambda waits: waits),
        "a slow writer": Way(axis.stalls(rng), lambda waits: True),
    }


async def pass_through(
    module: Clocked,
    beats: Sequence[Beat],
    expected: Sequence[Beat],
    way: Way,
    rng: random.Random,
    *,
    prefixes: tuple[str, str] = ("s_", "m_"),
    most: int | None = None,
) -> list[int]:
    """Write beats, compare what comes out, and see that nothing more does.

    Args:
        module: The module.
        beats: What is written, without valid; a beat stays until it is taken.
        expected: What comes out, without valid.
        way: How.
        rng: Of what stands on the input without valid.
        prefixes: Of valid and ready, of input and output.
        most: Stop after so many cycles, wherever things are then.

    Returns:
        The cycles of the outputs, from the first offer of a beat on.
    """
    source, target = prefixes
    taken, cycle, idle = 0, 0, 0
    offered = waits = False
    cycles: list[int] = []
    while (taken < len(beats) or len(cycles) < len(expected) or idle < _PATIENCE // 8) and cycle != most:
        offered = taken < len(beats) and (offered or not next(way.pauses))
        ready = way.reads(waits)
        # Without valid anything stands there, which nobody may take.
        inputs = {**beats[taken], f"{source}valid": 1} if offered else rng.choice(beats)
        got = await module.tick(**inputs, **{f"{target}ready": int(ready)})
        happened = False
        if offered and getattr(got, f"{source}ready"):
            taken, offered, happened = taken + 1, False, True
        if getattr(got, f"{target}valid") and ready:
            where = f"cycle {cycle}, output {len(cycles)}"
            assert len(cycles) < len(expected), f"{where}: one more than expected"
            found = {name: getattr(got, name) for name in expected[len(cycles)]}
            assert found == dict(expected[len(cycles)]), f"{where}: expected {expected[len(cycles)]}, got {found}"
            cycles.append(cycle)
            happened = True
        waits = bool(getattr(got, f"{target}valid")) and not ready
        idle = 0 if happened else idle + 1
        assert idle < _PATIENCE, f"cycle {cycle}: nothing happens; {taken} of {len(beats)} beats were taken"
        cycle += 1
    return cycles


async def every_way(
    module: Clocked,
    beats: Sequence[Beat],
    expected: Sequence[Beat],
    predicted: Sequence[int],
    rng: random.Random,
    prefixes: tuple[str, str] = ("s_", "m_"),
) -> int:
    """Pass beats through in all ways, and at full speed in exactly the predicted cycles; return the values compared."""
    compared = 0
    for name, way in ways(rng).items():
        cycles = await pass_through(module, beats, expected, way, rng, prefixes=prefixes)
        compared += len(cycles) * len(expected[0])
        if name == "full speed":
            assert cycles == list(predicted), f"expected outputs in the cycles {list(predicted)}, got {cycles}"
            compared += len(cycles)
    return compared


async def resets_anywhere(
    module: Clocked,
    beats: Sequence[Beat],
    expected: Sequence[Beat],
    rng: random.Random,
    prefixes: tuple[str, str] = ("s_", "m_"),
) -> int:
    """Reset in every cycle, with a reader that reads and one that does not, and pass the beats through behind it."""
    compared = 0
    for cycles in range(1, max(len(beats), len(expected)) + 3):
        for way in (full_speed(), Way(repeat(False), lambda waits: False)):
            await pass_through(module, beats, expected, way, rng, prefixes=prefixes, most=cycles)
            await module.reset()
            found = await pass_through(module, beats, expected, full_speed(), rng, prefixes=prefixes)
            compared += len(found) * len(expected[0])
    return compared
