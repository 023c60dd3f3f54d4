"""Sums on carry chains: the trees add up right, and the pass over a design changes nothing that it computes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from quantunet.hls.synth.families import ECP5, NEXUS, CarryChain
from quantunet.hls.synth.passes.carry_cell import ONE, ZERO, Bit, Net, adder, and_bit, handover, net_bit
from quantunet.hls.synth.passes.carry_tree import Columns, Sum, Tree, build

CHAINS = [family.chain for family in (ECP5, NEXUS) if family.chain is not None]
NAMES = [chain.cell for chain in CHAINS]


def value(bit: Bit, nets: dict[Net, int]) -> int:
    return bit.table >> sum(nets[net] << i for i, net in enumerate(bit.nets)) & 1


def evaluate(tree: Tree, given: dict[Net, int], generate_inputs: int) -> int:
    """Compute a tree as the devices' simulation models do."""
    nets: dict[Net, int] = {0: 0, 1: 1, **given}
    for positions, start in zip(tree.chains, tree.carries, strict=True):
        carry = start
        for at in positions:
            index = sum(nets[net] << i for i, net in enumerate(at.pins))
            propagate = at.table >> index & 1
            if at.sum_net is not None:
                nets[at.sum_net] = propagate ^ carry
            carry = carry if propagate else at.table >> (index & ((1 << generate_inputs) - 1)) & 1
    return sum(value(bit, nets) << column for column, bit in enumerate(tree.result))


def products(lanes: int, bits_w: int, bits_x: int, *, signed_x: bool = False) -> tuple[Columns, Columns]:
    columns: tuple[Columns, Columns] = ({}, {})
    for lane in range(lanes):
        for i in range(bits_w):
            for j in range(bits_x):
                is_negative = (i == bits_w - 1) != (signed_x and j == bits_x - 1)
                columns[is_negative].setdefault(i + j, []).append(and_bit(f"w{lane}.{i}", f"x{lane}.{j}"))
    return columns


def operands(count: int, bits: int) -> tuple[Columns, Columns]:
    columns: tuple[Columns, Columns] = ({}, {})
    for k in range(count):
        for i in range(bits):
            columns[i == bits - 1].setdefault(i, []).append(net_bit(f"a{k}.{i}"))
    return columns


SUMS = {
    "one lane": products(1, 4, 4),
    "two lanes": products(2, 4, 4),
    "signed lanes": products(2, 4, 4, signed_x=True),
    "many lanes": products(8, 3, 4),
    "wide lanes": products(2, 8, 7),
    "narrow lanes": products(3, 1, 2),
    "four operands": operands(4, 9),
    "nine operands": operands(9, 5),
}


@pytest.mark.parametrize("chain", CHAINS, ids=NAMES)
@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize(("constant", "cut"), [(0, 0), (-77, 0), (1234, 0), (5, 3)])
def test_a_tree_computes_the_sum(name: str, chain: CarryChain, constant: int, cut: int) -> None:
    positive, negative = SUMS[name]
    most = sum(len(bits) << column for columns in SUMS[name] for column, bits in columns.items()) + abs(constant)
    width = most.bit_length() + 1 - cut
    tree = build(Sum(positive, negative, constant, width), chain.generate_inputs, feed_in=chain.feed_in)
    nets = sorted({str(net) for columns in SUMS[name] for bits in columns.values() for bit in bits for net in bit.nets})
    chooser = random.Random(1)
    seen = set()
    for _ in range(200):
        given: dict[Net, int] = {net: chooser.getrandbits(1) for net in nets}
        expected = constant
        for sign, columns in ((1, positive), (-1, negative)):
            expected += sign * sum(value(bit, given) << c for c, bits in columns.items() for bit in bits)
        assert evaluate(tree, given, chain.generate_inputs) == expected % (1 << width)
        seen.add(expected)
    assert len(seen) > 5


def test_a_tree_needs_no_more_than_it_should() -> None:
    """Full adders in LUTs take 46 and 50, and 32 more for the products of the first."""
    positive, negative = products(2, 4, 4)
    assert build(Sum(positive, negative, 0, 9), 2, feed_in=False).cost <= 40
    positive, negative = operands(4, 9)
    assert build(Sum(positive, negative, 0, 11), 2, feed_in=False).cost <= 32


@pytest.mark.parametrize("generate_inputs", [2, 3])
def test_a_position_adds_two_products_and_the_carry(generate_inputs: int) -> None:
    pairs = [
        (and_bit("a", "b"), and_bit("c", "d")),
        (and_bit("a", "b").inverted(), and_bit("c", "d")),
        (and_bit("a", "b"), and_bit("a", "d").inverted()),
        (net_bit("a").inverted(), net_bit("b").inverted()),
        (net_bit("t"), Bit(("f", "x", "y"), 0b11100100)),
        (net_bit("a"), ONE),
        (and_bit("a", "b"), ZERO),
    ]
    for p, q in pairs:
        position = adder(p, q, generate_inputs, "sum")
        assert position is not None
        nets = sorted({str(net) for net in (*p.nets, *q.nets)})
        for index in range(1 << len(nets)):
            given: dict[Net, int] = {net: index >> i & 1 for i, net in enumerate(nets)}
            for carry in (0, 1):
                tree = Tree([[position, handover(ZERO, generate_inputs, "out")]], [carry])
                tree.result = [net_bit("sum"), net_bit("out")]
                assert evaluate(tree, given, generate_inputs) == value(p, given) + value(q, given) + carry
    assert adder(and_bit("a", "b").inverted(), and_bit("c", "d").inverted(), 2, None) is None
    assert adder(and_bit("a", "b"), Bit(("c", "d", "e"), 0b10000000), generate_inputs, None) is None


DESIGNS = {
    "products": (
        "input [3:0] a, input [3:0] b, input signed [3:0] v, input signed [3:0] w, output signed [31:0] y",
        "assign y = $signed({1'b0, a}) * v + $signed({1'b0, b}) * w;",
    ),
    "signed": (
        "input signed [2:0] a, input signed [3:0] b, input signed [4:0] v, input signed [2:0] w, output [11:0] y",
        "assign y = a * v - b * w + 12'sd9;",
    ),
    "operands": (
        "input signed [5:0] a, input signed [5:0] b, input [5:0] v, input signed [6:0] w, output signed [9:0] y",
        "assign y = a + b - v + w;",
    ),
    "wrapped": (
        "input [3:0] a, input [3:0] b, input [3:0] v, output [7:0] y, output [3:0] z",
        "wire [3:0] s = a + b; assign y = s * v + a; assign z = a + b + v;",
    ),
    "shared": (
        "input [3:0] a, input [3:0] b, input [3:0] v, output [9:0] y, output [7:0] z",
        "assign z = a * b; assign y = z + v * b;",
    ),
}

SCRIPT = """
import json, sys
from pyosys import libyosys
from quantunet.hls.synth.passes import mapping
from quantunet.hls.synth.families import FAMILIES
job = json.load(sys.stdin)
design, family = libyosys.Design(), FAMILIES[job["family"]]
mapping.run(design, job["before"], family)
cells = [cell.type.str() for cell in design.top_module().selected_cells()]
assert "\\\\" + family.chain.cell in cells, cells
assert not {"$mul", "$macc_v2"} & set(cells), cells
if job["fault"]:
    for cell in design.top_module().selected_cells():
        if cell.type.str() == "\\\\" + family.chain.cell:
            a, b = (cell.getPort(libyosys.IdString("\\\\" + pin)) for pin in ("A1", "B1"))
            if not a.is_fully_const() and not b.is_fully_const() and a.to_sigbit_vector()[0] != b.to_sigbit_vector()[0]:
                cell.setPort(libyosys.IdString("\\\\A1"), b)
                break
mapping.run(design, job["after"], family)
"""


@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize("family", [ECP5, NEXUS], ids=lambda family: family.name)
@pytest.mark.parametrize("name", DESIGNS)
def test_the_pass_changes_nothing_that_a_design_computes(
    tmp_path: Path, name: str, family: object, fault: bool
) -> None:
    """Proven by Yosys' SAT solver for all inputs, with the device's own models of the cells."""
    ports, body = DESIGNS[name]
    (tmp_path / "design.v").write_text(f"module top({ports}); {body} endmodule\n", encoding="utf-8")
    assert family in (ECP5, NEXUS)
    short = "ecp5" if family is ECP5 else "nexus"
    library = f"+/lattice/cells_sim_{short}.v"
    job = {
        "family": short,
        "fault": fault,
        "before": [
            "read_verilog -sv design.v",
            f"read_verilog -lib -specify {library}",
            "hierarchy -top top",
            "proc; opt; wreduce; opt_clean",
            "design -save gold",
            "sums_of_products",
            "opt_clean",
        ],
        "after": [
            f"techmap -autoproc -map {library}",
            "opt_clean -purge",
            "rename top gate",
            "design -stash gate",
            "design -load gold",
            "rename top gold",
            "design -copy-from gate -as gate gate",
            "miter -equiv -flatten gold gate miter",
            "hierarchy -top miter",
            "opt",
            f"sat {'-falsify' if fault else '-verify'} -prove trigger 0 -show-ports miter",
        ],
    }
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, input=json.dumps(job), capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stdout[-3000:] + outcome.stderr[-2000:]


FLOW = """
import json, sys
from pyosys import libyosys
from quantunet.hls.synth.passes import mapping
from quantunet.hls.synth.families import FAMILIES
job = json.load(sys.stdin)
design, family = libyosys.Design(), FAMILIES[job["family"]]
before, after = family.passes("top", dsp=False)
mapping.run(design, [*job["before"], *before, *after], family)
counts = {}
for cell in design.top_module().selected_cells():
    counts[cell.type.str()] = counts.get(cell.type.str(), 0) + 1
if job["fault"]:
    for cell in design.top_module().selected_cells():
        if cell.type.str() == "\\\\" + family.chain.cell:
            a, b = (cell.getPort(libyosys.IdString("\\\\" + pin)) for pin in ("A1", "B1"))
            if not a.is_fully_const() and not b.is_fully_const() and a.to_sigbit_vector()[0] != b.to_sigbit_vector()[0]:
                cell.setPort(libyosys.IdString("\\\\A1"), b)
                break
mapping.run(design, job["after"], family)
print("counts", json.dumps(counts))
"""


@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize(("short", "carries", "luts"), [("ecp5", {"\\CCU2C": 4}, 0), ("nexus", {"\\CCU2": 5}, 8)])
def test_luts_move_into_the_adder_behind_them(
    tmp_path: Path, short: str, carries: dict[str, int], luts: int, fault: bool
) -> None:
    """An accumulator: the adder's cells take in what chooses its start, where the carry can do without it."""
    text = "module top(input [7:0] t, b, a, input f, output [7:0] y); assign y = t + (f ? b : a); endmodule\n"
    (tmp_path / "design.v").write_text(text, encoding="utf-8")
    library = f"+/lattice/cells_sim_{short}.v"
    job = {
        "family": short,
        "fault": fault,
        "before": ["read_verilog design.v", "hierarchy -top top", "proc", "design -save gold"],
        "after": [
            f"techmap -autoproc -map {library}",
            "opt_clean -purge",
            "rename top gate",
            "design -stash gate",
            "design -load gold",
            "rename top gold",
            "design -copy-from gate -as gate gate",
            "miter -equiv -flatten gold gate miter",
            "hierarchy -top miter",
            "opt",
            f"sat {'-falsify' if fault else '-verify'} -prove trigger 0 -set-def-inputs miter",
        ],
    }
    outcome = subprocess.run(
        [sys.executable, "-c", FLOW], cwd=tmp_path, input=json.dumps(job), capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stdout[-3000:] + outcome.stderr[-2000:]
    (line,) = (line for line in outcome.stdout.splitlines() if line.startswith("counts "))
    counts = json.loads(line.removeprefix("counts "))
    assert counts.get("\\LUT4", 0) == luts
    assert {name: counts[name] for name in carries} == carries


OPENED = """
import json, sys
from pyosys import libyosys
from quantunet.hls.synth.families import FAMILIES
from quantunet.hls.synth.passes import mapping
design, family = libyosys.Design(), FAMILIES["nexus"]
for command in ("read_verilog design.v", "synth_nexus -noiopad -nowidelut -top top"):
    design.run_pass(command)
def seen():
    cells = [cell for cell in design.top_module().selected_cells() if cell.type.str() == "\\\\CCU2"]
    return len(cells), sum(cell.hasPort(libyosys.IdString("\\\\CIN")) for cell in cells)
before = seen()
mapping.run(design, family.pads, family)
kinds = [cell.type.str() for cell in design.top_module().selected_cells()]
print("seen", json.dumps([before, seen(), kinds.count("\\\\IB"), kinds.count("\\\\OB")]))
"""


def test_a_nexus_is_given_pins_and_chains_that_begin_open(tmp_path: Path) -> None:
    """nextpnr-nexus takes a carry in that no carry cell drives for a fault, and wants a buffer at every pin."""
    text = "module top(input [7:0] a, b, output [7:0] y); assign y = a + b; endmodule\n"
    (tmp_path / "design.v").write_text(text, encoding="utf-8")
    ran = subprocess.run([sys.executable, "-c", OPENED], cwd=tmp_path, capture_output=True, text=True, check=True)
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("seen ")]
    before, after, inputs, outputs = json.loads(line.removeprefix("seen "))
    assert before == [5, 5] and after == [5, 4]
    assert (inputs, outputs) == (16, 8)
