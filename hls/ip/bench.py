"""Benches that need nothing of this project, in SystemVerilog and in cocotb, with a picture and its true result."""

from __future__ import annotations

from dataclasses import dataclass

from quantunet import golden
from quantunet.hls.generate.rtl_project import Port
from quantunet.hls.ip.core import ADDRESS_BITS, Ip, render
from quantunet.ir import Array, Graph
from quantunet.random_network import random_image
from quantunet.streams import hex_lines, to_groups

FRAMES = 3
"""How often a bench sends the picture: once without a pause, then with pauses."""

PICTURE, RESULT = "bench/picture.mem", "bench/result.mem"
"""The beats of the picture and of the result, a line of hexadecimal digits for each."""

_SETTLING = 10_000


@dataclass(frozen=True)
class _Value:
    """What a bench reads in a register at its end."""

    name: str
    offset: int
    value: int


@dataclass(frozen=True)
class Vectors:
    """A picture and what golden makes of it.

    Attributes:
        picture: Codes of the network's input, int64 ``(height, width, channels)``.
        result: The network's output, likewise.
    """

    picture: Array
    result: Array


def vectors(graph: Graph) -> Vectors:
    """Return a picture of random codes and its result by integer inference.

    Raises:
        ModelError: The network has several inputs.
    """
    picture = random_image(graph)
    return Vectors(picture, golden.run(graph, picture)[graph.output])


def files(ip: Ip, found: Vectors) -> dict[str, bytes]:
    """Return the benches and their memory files, by their paths in the IP's folder."""
    patience = 2 * ip.interval + _SETTLING
    common = {
        "picture_file": PICTURE,
        "result_file": RESULT,
        "frames": FRAMES,
        "registers": _at_the_end(ip),
        "address_bits": ADDRESS_BITS,
        "patience": patience,
        "quiet": 100,
        "source": ip.source.prefix,
        "target": ip.target.prefix,
    }
    return {
        PICTURE: _beats(ip.source, found.picture),
        RESULT: _beats(ip.target, found.result),
        f"bench/{ip.name}_tb.sv": render("ip_bench.sv.j2", ip, **common).encode(),
        f"bench/test_{ip.name}.py": render("ip/bench.py.j2", ip, **common).encode(),
    }


def _beats(port: Port, values: Array) -> bytes:
    return hex_lines(to_groups(values, port.stream.lanes), port.stream.qtype.bits)


def _at_the_end(ip: Ip) -> list[_Value]:
    counted = {"FRAMES_IN": FRAMES, "FRAMES_OUT": FRAMES}
    return [_Value(one.name, one.offset, counted.get(one.name, one.reset)) for one in ip.registers]
