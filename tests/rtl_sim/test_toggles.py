"""Toggles are counted as they are: against counts that arithmetic gives, in words and in cells, and by layer."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from helpers.qonnx_files import SmallUnet
from helpers.rtl import BUILD_ROOT

from quantunet.cli import main
from quantunet.constraints.board import Power, load_board
from quantunet.constraints.energy import frame_energy
from quantunet.errors import BoardError, ToolFailedError
from quantunet.hls.design import Instance
from quantunet.hls.synth import yosys
from quantunet.hls.synth.verilog import write_verilog
from quantunet.hls.synth.words import write_words
from quantunet.hls.synth.yosys import Job
from quantunet.rtl_sim import toggles, verilator
from quantunet.rtl_sim.netlist_bench import INSTANCES, MAPPED
from quantunet.rtl_sim.toggles import COUNTER, REGISTER, REST, Group, Owners

BITS, CYCLES = 700, 300
COUNTED = f"""
module qun_two (input logic clk, input logic rst_n, output logic [7:0] number, output logic [{BITS - 1}:0] flags);
  u_part u_first (.clk, .rst_n, .number);
  always_ff @(posedge clk) flags <= rst_n ? ~flags : '0;
endmodule
module u_part (input logic clk, input logic rst_n, output logic [7:0] number);
  always_ff @(posedge clk) number <= rst_n ? number + 8'd1 : 8'd0;
endmodule
"""
FIRST = Instance("first", "u_part", (), (), (("m_axis", "x"),))


def expected(edges: int) -> dict[str, int]:
    """A counter's bit of place i toggles every 2**i cycles, a flag in each; the first edge out of reset shows zeros."""
    return {"first": sum((edges - 1) >> place for place in range(8)), REST: (edges - 1) * BITS}


@pytest.mark.parametrize("words", [True, False])
def test_counts_of_a_small_module_are_those_of_arithmetic(words: bool, tmp_path: Path) -> None:
    source, netlist, counted = tmp_path / "two.sv", tmp_path / "netlist.json", tmp_path / "counted.json"
    source.write_text(COUNTED, encoding="utf-8")
    job = Job("two", "qun_two", (source,), tmp_path)
    if words:
        write_words(job, netlist, time_limit=300)
    else:
        yosys.with_netlist(job, tmp_path, netlist, tmp_path / "yosys.log")
    groups = toggles.with_counters(netlist, "qun_two", "", [FIRST], counted)
    assert {(one.layer, one.nets) for one in groups if one.kind == REGISTER} == {("first", 8), (REST, BITS)}
    kept = [path.stem for path in (*INSTANCES, COUNTER)]
    write_verilog(
        counted, "qun_two", tmp_path / "two.v", models=MAPPED, kept=kept, time_limit=300, words=words
    )  # fmt: skip
    built = verilator.build([*INSTANCES, COUNTER, tmp_path / "two.v"], "qun_two", {}, BUILD_ROOT, quick=True)
    run = verilator.run_cocotb(
        built, "helpers.benches.tb_toggles", "qun_two", tmp_path / "run", env={"CYCLES": str(CYCLES)}
    )
    counts = [one for one in toggles.read_counts(run.log, groups) if one.group.kind == REGISTER]
    assert [one.edges for one in counts] == [CYCLES, CYCLES]
    assert {one.group.layer: one.toggles for one in counts} == expected(CYCLES)


def test_a_counter_that_tells_nothing_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "sim.log"
    groups = (Group("a", REGISTER, 3), Group("b", REGISTER, toggles.WIDEST + 1))
    log.write_text("toggles 0 5 9\ntoggles 1 1 9\ntoggles 1 2 9\n", encoding="utf-8")
    assert [(one.toggles, one.edges) for one in toggles.read_counts(log, groups)] == [(5, 9), (3, 9)]
    for text in ("", "toggles 0 5 9\ntoggles 1 1 9\n", "toggles 0 5 9\ntoggles 1 1 9\ntoggles 1 2 8\n"):
        log.write_text(text, encoding="utf-8")
        with pytest.raises(ToolFailedError, match="counters"):
            toggles.read_counts(log, groups)


def test_a_net_belongs_to_the_layer_that_drives_it() -> None:
    names = {
        "u_net.u_a.m_axis_tdata": [2], "u_net.x_tdata": [2], "u_net.u_b.s_axis_tdata": [2], "u_net.u_b.u_w.in": [2],
        "u_net.u_b.s_axis_tready": [3], "u_net.u_a.m_axis_tready": [3],
        "u_net.u_b.sum_q": [4], "u_net.other": [5], "clk": [6],
    }  # fmt: skip
    module = {"netnames": {name: {"bits": bits} for name, bits in names.items()}}
    a = Instance("a", "qun_a", (), (), (("m_axis", "x"),))
    b = Instance("b", "qun_b", (), (("s_axis", "x"),), ())
    owners = Owners(module, "u_net", [a, b])
    assert [owners.of(bit, "cell") for bit in range(2, 8)] == ["a", "b", "b", REST, REST, REST]
    assert owners.of(7, "u_net.u_a.sum_LUT4_Z") == "a"


def test_the_energy_of_a_frame_is_arithmetic() -> None:
    power = Power(idle_mw=200, toggle_pj=(0.2, 0.25), source="nobody")
    found = frame_energy(power, toggles=2e6, registers=1000, cycles=60_000, mhz=60)
    assert found.idle_mj == pytest.approx(0.2)
    assert found.toggles_mj == (pytest.approx(0.0004), pytest.approx(0.0005))
    assert found.ceiling_mj == pytest.approx(0.015)
    assert found.bracket_mj == (pytest.approx(0.2004), pytest.approx(0.215))


def test_the_command_counts_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = SmallUnet().write(tmp_path / "small.onnx")
    assert main(["energy", str(model), "--build", str(tmp_path / "build"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["level"], report["mismatches"], report["passed"]) == ("rtl", 0, True)
    assert report["values_compared"] > 0 and report["frames"] == 2
    assert report["registers"] == sum(layer["registers"] for layer in report["layers"])
    total = sum(layer["toggles"][REGISTER] for layer in report["layers"])
    assert total == pytest.approx(report["toggles"][REGISTER]) and total > 0
    assert 0 < total * report["frames"] < report["registers"] * report["cycles"]
    low, high = report["energy"]["toggles_mj"]
    assert low == pytest.approx(total * 0.21e-9) and high == pytest.approx(total * 0.25e-9)
    assert low <= high <= report["energy"]["ceiling_mj"]
    (written,) = (tmp_path / "build").glob("*/energy/report.json")
    assert json.loads(written.read_text(encoding="utf-8")) == report
    assert main(["energy", str(model), "--board", "arty_a7_100t"]) == 2
    assert "power" in capsys.readouterr().err


def test_a_boards_power_is_read_whole(tmp_path: Path) -> None:
    power = load_board("ulx3s_85f").power
    assert power is not None and dataclasses.astuple(power)[:2] == (202, (0.21, 0.25))
    assert load_board("lifcl_40_evn").power is None
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in (load_board("ulx3s_85f").constraints.parent).glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    text = (folder / "board.toml").read_text(encoding="utf-8")
    (folder / "board.toml").write_text(text.replace("most_toggle_pj = 0.25", "most_toggle_pj = 0.2"), encoding="utf-8")
    with pytest.raises(BoardError, match="most_toggle_pj"):
        load_board("mine", tmp_path)
