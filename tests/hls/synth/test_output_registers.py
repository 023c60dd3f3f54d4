"""Registers that move into block RAM: the netlist computes the same, and what must stay stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.benches.cases import plumbing_case
from helpers.layers import matrix
from helpers.netlist import fifo_netlist, netlist, output_registers
from helpers.rtl import BUILD_ROOT, check_cases

from quantunet import golden
from quantunet.hls.design import Fold, Stream
from quantunet.hls.generate import rtl_project
from quantunet.hls.matrix import folded
from quantunet.hls.modules import fifo
from quantunet.hls.modules.table import cycles
from quantunet.ir import Conv2d, QType
from quantunet.rtl_sim import bench

REGISTERED = "t:DP16KD r:REGMODE_B=OUTREG %i"


def test_the_netlist_of_a_deep_buffer_is_exact_in_values_and_cycles(tmp_path: Path) -> None:
    """Banks of block RAM, whose registers are plain copies, and a last one of distributed RAM."""
    qtype, shape = QType(6, False, 0), (4, 6, 416)
    streams = [Stream(name, 2, qtype, shape) for name in ("x", "y")]
    depth = 4500
    library = fifo_netlist(tmp_path, 12, depth, {"DP16KD": 4})
    assert output_registers(tmp_path / "netlist" / "netlist.json", "REGMODE_B") == 4
    params = {"Bits": 12, "Depth": depth, "FrameBeats": 0}
    case = plumbing_case(
        "qun_fifo",
        params,
        streams,
        predicted=fifo.cycles(params, streams[0].beats),
        extras=[("level", depth.bit_length())],
        frames=2,
    )
    more = ["exact_capacity", "exact_level"]
    check_cases("fifo", [case], tmp_path, more_scenarios=more, rtl_folder=library)


def test_the_netlist_of_a_layer_with_a_deep_table_is_exact_in_values_and_cycles(tmp_path: Path) -> None:
    """The register behind the multiplexer of three block RAMs comes before it."""
    types = (QType(4, False, 4), QType(4, True, 3), QType(4, False, 2))
    graph, fold = matrix(Conv2d, "layer", (2, 3, 36), 36, 3, types, seed=3), Fold(2, 2)
    layer, source = graph.node("layer"), graph.tensor(graph.input)
    assert layer.weight.array.size // 4 > folded.DEEP_TABLE
    project = rtl_project.write(graph, {"layer": fold}, tmp_path / "layer", layer="layer")
    project = netlist(project, {"CCU2C": 5})
    assert output_registers(project.folder / "netlist.json", "REGMODE_A") == 3  # it reads where nobody writes
    images = np.random.default_rng(1).integers(0, source.qtype.qmax + 1, size=(2, *source.shape))
    expected = np.stack([golden.run(graph, image)[graph.output_of(layer).name] for image in images])
    assert len(np.unique(expected)) >= 8
    built = bench.build(project, BUILD_ROOT)
    result = bench.run(built, [images], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    assert result.frame_ends[0] == cycles(graph, layer, fold).predicted


BODIES = {
    "copy": "always_ff @(posedge clk) if (e) q <= w;",
    "copies of one enable": "always_ff @(posedge clk) if (e) begin q[17:0] <= w[17:0]; q[35:18] <= ~w[35:18]; end",
    "reset": "always_ff @(posedge clk) if (r) q <= 0; else if (e) q <= w;",
    "two enables": "always_ff @(posedge clk) begin if (e) q[17:0] <= w[17:0]; if (r) q[35:18] <= w[35:18]; end",
    "read by another": "always_ff @(posedge clk) if (e) q <= w; assign x = ^w;",
    "starts at one": "logic [35:0] p = 36'd1; always_ff @(posedge clk) if (e) p <= w; assign q = p;",
    "falling edge": "always_ff @(negedge clk) if (e) q <= w;",
    "read by an adder": "logic [35:0] p; always_ff @(posedge clk) begin if (e) p <= w; q <= q + p; end",
}
MOVED = {"copy": 1, "copies of one enable": 1}

SCRIPT = """
import sys
from pyosys import libyosys
from quantunet.hls.synth.families import ECP5
from quantunet.hls.synth.passes import mapping
design = libyosys.Design()
design.run_pass("read_slang --threads 1 --top top top.sv")
before, after = ECP5.passes("top", dsp=False)
mapping.run(design, (*before, *after, "select -assert-count 1 t:DP16KD", sys.argv[1]), ECP5)
"""


@pytest.mark.parametrize("name", BODIES)
def test_only_a_register_that_an_output_register_equals_is_moved(tmp_path: Path, name: str) -> None:
    (tmp_path / "top.sv").write_text(
        "module top (input logic clk, e, r, we, re, input logic [8:0] a, b, input logic [35:0] d, "
        "output logic [35:0] q, output logic x);\n  (* no_rw_check *) logic [35:0] words[512]; logic [35:0] w;\n"
        "  always_ff @(posedge clk) begin if (we) words[a] <= d; if (re) w <= words[b]; end\n"
        f"  {BODIES[name]}\nendmodule\n",
        encoding="utf-8",
    )
    check = f"select -assert-count {MOVED.get(name, 0)} {REGISTERED}"
    done = subprocess.run([sys.executable, "-c", SCRIPT, check], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
