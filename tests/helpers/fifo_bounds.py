"""What the FIFOs of a network must do, by its exact schedule."""

from __future__ import annotations

import itertools

from quantunet.hls.folding import Folding
from quantunet.hls.network import build, fifo_before
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule, settled
from quantunet.ir import Graph

FRAMES = 4


def crosses(graph: Graph) -> bool:
    """Return whether each of two tensors feeds both of two joins, on ways that lead past the others of the four.

    The least depths of such legs are on the safe side (:func:`quantunet.hls.schedule.deadlock.least_depths`).
    """
    outputs = {node.name: node.output for node in graph.nodes}
    readers: dict[str, list[str]] = {}
    for node in graph.nodes:
        for tensor in dict.fromkeys(node.inputs):
            readers.setdefault(tensor, []).append(node.name)
    forks = [tensor for tensor, names in readers.items() if len(names) > 1]
    joins = [node.name for node in graph.nodes if node.arity > 1]

    def feeds(fork: str, join: str, past: tuple[str, str]) -> bool:
        other_fork, other_join = past
        seen, waiting = {fork}, [fork]
        while waiting:
            for name in readers.get(waiting.pop(), ()):
                if name == join:
                    return True
                tensor = outputs[name]
                if name != other_join and tensor != other_fork and tensor not in seen:
                    seen.add(tensor)
                    waiting.append(tensor)
        return False

    return any(
        all(
            feeds(fork, join, (other, ends[1 - at]))
            for fork, other in (pair, pair[::-1])
            for at, join in enumerate(ends)
        )
        for pair in itertools.combinations(forks, 2)
        for ends in itertools.combinations(joins, 2)
    )


def unmet(graph: Graph, folding: Folding, *, tight: bool = True) -> tuple[int, list[str]]:
    """Return how many bounds were looked at, and those that do not hold, in words.

    With the FIFOs that are computed the network settles at the pace of its slowest layer, and locks under no stalls.
    With the least ones it locks under none either; where they are ``tight``, with a beat less in any of them it does.
    Where legs cross, or blocks of channels become pixels, the count is on the safe side.
    """
    depths, ideal, found = fifo_depths(graph, folding), frame_interval(graph, folding), []
    design = build(graph, folding, depths)
    steady = settled(design, ideal, schedule(design, 1).first_output)
    if steady.stuck or schedule(design, FRAMES, gaps=True).stuck:
        found.append(f"locks: {', '.join(steady.stuck) or 'where pipelines have gaps'}")
    elif steady.frame_interval != ideal:
        found.append(f"{steady.frame_interval} cycles between frames, {ideal} in the slowest layer")
    places = {fifo_before(design, *place): place for place in depths}
    least = {places[name]: depth for name, depth in least_depths(design).items() if depth}
    found += [f"{depths[place]} beats at {place}, which needs {depth}" for place, depth in least.items()
              if depth > depths[place]]  # fmt: skip
    small = build(graph, folding, least)
    if any(schedule(small, FRAMES, gaps=gaps, pace=pace).stuck for gaps in (True, False) for pace in (0, 4 * ideal)):
        found.append(f"locks with its least FIFOs, {least}")
    for place, depth in least.items() if tight else ():
        less = {key: beats for key, beats in {**least, place: depth - 1}.items() if beats > 0}
        if not schedule(build(graph, folding, less), FRAMES, gaps=True).stuck:
            found.append(f"runs with {depth - 1} beats at {place}, of which {depth} are said to be the least")
    return 2 + len(depths) + len(least), found
