"""The steps to a bitstream: what is kept, what is refused, what fits. A stand-in places, routes and counts its runs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.qonnx_files import SmallUnet

from quantunet.constraints.board import Board, load_board
from quantunet.errors import BoardError, FileFormatError, OptionError, ToolFailedError
from quantunet.hls.bitstream import flow, netlist, place, tools
from quantunet.hls.bitstream.flow import Plan
from quantunet.hls.bitstream.netlist import Netlist
from quantunet.hls.bitstream.packing import lut_places, read_module
from quantunet.hls.bitstream.place import Placer, Route, best
from quantunet.hls.bitstream.routed import Clock
from quantunet.hls.bitstream.top import measurement_top, serial_top
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.synth.families import Usage
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Graph
from quantunet.qonnx_import import load
from quantunet.rtl_sim.verilator import lint

BOARD = load_board("ulx3s_85f")

LARGE = """
module store (input wire logic clk, input wire logic we, input wire logic [9:0] a, output logic y);
  localparam int unsigned Bits = 18 * 210;
  (* ram_style = "block" *) logic [Bits-1:0] words[1024];
  logic [Bits-1:0] read_q, shift_q;
  always_ff @(posedge clk) begin
    if (we) words[a] <= shift_q;
    read_q <= words[a];
    shift_q <= {shift_q[Bits-2:0], a[0]};
    y <= ^read_q;
  end
endmodule
"""


@pytest.fixture
def made(tmp_path: Path) -> Netlist:
    folder = tmp_path / "work" / "synthesis"
    folder.mkdir(parents=True)
    (folder / netlist.NETLIST).write_text("{}")
    return Netlist(folder, folder / netlist.NETLIST, "key", Usage(1, 1, 0, 0, 0, 0, 1), 1.0, 1, cached=False)


@pytest.fixture
def placer(tmp_path: Path, made: Netlist, install: Callable[..., Path]) -> Placer:
    install()
    lpf = tmp_path / "work" / "top.lpf"
    lpf.write_text("BLOCK RESETPATHS;\n")
    return Placer(tools.find("native"), BOARD, made, lpf, 60.0, 600)


def folders(root: Path, *seeds: int) -> dict[int, Path]:
    return {seed: root / "work" / f"seed_{seed}" for seed in seeds}


def test_the_fastest_of_several_seeds_is_packed(tmp_path: Path, placer: Placer) -> None:
    routes = placer.routes((1, 2, 3), folders(tmp_path, 1, 2, 3), processes=3)
    assert [(route.seed, route.clocks[0].mhz) for route in routes] == [(1, 65), (2, 69), (3, 67)]
    assert all(route.fits and not route.cached for route in routes)
    assert best(routes).seed == 2
    packed = placer.pack(best(routes), tmp_path / "work" / "packed", "small.bit")
    assert packed.file.read_text() == "seed 2"


def test_what_is_done_is_not_done_again(tmp_path: Path, placer: Placer) -> None:
    runs, where = tmp_path / "runs", folders(tmp_path, 1, 2)
    for expected in (False, True):
        routes = placer.routes((1, 2), where)
        packed = placer.pack(best(routes), tmp_path / "work" / "packed", "small.bit")
        assert [route.cached for route in routes] == [expected] * 2
        assert packed.cached is expected
    assert sorted(runs.read_text().split("\n")[:-1]) == ["pack", "place 1", "place 2"]
    (where[2] / "chip.config").write_text("edited")
    packed = placer.pack(best(routes), tmp_path / "work" / "packed", "small.bit")
    assert (packed.cached, packed.file.read_text()) == (False, "edited")
    assert [route.cached for route in placer.routes((1, 2), where)] == [True, False]


def test_what_a_seed_took_is_what_was_measured(tmp_path: Path, placer: Placer, monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"code": 0, "seconds": 30.5, "cpu_seconds": 20.5, "memory_mib": 7}
    monkeypatch.setattr(place, "read_result", lambda path: took)
    (route,) = placer.routes((1,), folders(tmp_path, 1))
    assert (route.seconds, route.cpu_seconds, route.memory_mib) == (30.5, 20.5, 7)
    packed = placer.pack(route, tmp_path / "work" / "packed", "small.bit")
    assert (packed.seconds, packed.memory_mib) == (30.5, 7)


@pytest.mark.parametrize(
    "ends", ["Path(sys.argv[-1]).write_text('half of it'); sys.exit(3)", "pass"], ids=["it fails", "it writes nothing"]
)
def test_a_packer_without_a_bitstream_is_an_error(tmp_path: Path, placer: Placer, ends: str) -> None:
    (route,) = placer.routes((1,), folders(tmp_path, 1))
    Path(placer.tools.pack[0]).write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{ends}\n")
    with pytest.raises(ToolFailedError, match=r"ecppack: expected a bitstream"):
        placer.pack(route, tmp_path / "work" / "packed", "small.bit")
    assert not (tmp_path / "work" / "packed").exists()


def test_whatever_the_result_depends_on_gives_another_key(
    tmp_path: Path, placer: Placer, install: Callable[..., Path]
) -> None:
    other = tmp_path / "other.lpf"
    other.write_text("BLOCK ASYNCPATHS;\n")
    faster = dataclasses.replace(BOARD, part=BOARD.part.replace("-6", "-8"))
    install(version="1.1")
    changes: list[dict[str, object]] = [
        {"mhz": 61.0},
        {"board": faster},
        {"constraints": other},
        {"tools": tools.find("native")},
        {"tools": dataclasses.replace(placer.tools, name="another")},
        {"tools": dataclasses.replace(placer.tools, family="nexus")},
        {"netlist": dataclasses.replace(placer.netlist, key="another")},
    ]
    keys = [placer.key(1), placer.key(2), *(dataclasses.replace(placer, **change).key(1) for change in changes)]  # type: ignore[arg-type]
    assert len(set(keys)) == len(changes) + 2
    assert dataclasses.replace(placer, time_limit=1).key(1) == placer.key(1)


def test_a_design_without_room_is_a_result_and_is_kept(
    tmp_path: Path, placer: Placer, install: Callable[..., Path]
) -> None:
    runs = install(bram=210, fails="ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'DP16KD'")
    for expected in (False, True):
        (route,) = placer.routes((1,), folders(tmp_path, 1))
        assert (route.fits, route.cached, route.margin) == (False, expected, 0)
        assert route.failure == "needs 210 DP16KD of 208"
    assert runs.read_text() == "place 1\n"


def test_a_real_device_has_no_room_for_too_many_block_rams(tmp_path: Path) -> None:
    """210 block RAMs for a device with 208: Yosys and pip's nextpnr."""
    source = tmp_path / "large.sv"
    source.write_text(LARGE)
    job = Job("large", "store", (source,), tmp_path)
    made = netlist.synthesise(job, tmp_path / "synthesis", time_limit=600)
    assert made.usage.bram == 210
    lpf = tmp_path / "large.lpf"
    lpf.write_text("BLOCK RESETPATHS;\n")
    route = Placer(tools.find("pip"), BOARD, made, lpf, 60.0, 600).route(1, tmp_path / "seed_1")
    assert (route.fits, route.failure) == (False, "needs 210 DP16KD of 208")
    usage = {one.kind: one.used for one in route.usage}
    assert usage["TRELLIS_COMB"] == lut_places(read_module(made.file, "store")) == made.usage.lut + 2


def test_a_synthesis_that_fails_leaves_its_log_alone(tmp_path: Path) -> None:
    source = tmp_path / "broken.sv"
    source.write_text("module broken (input wire logic clk; endmodule\n")
    with pytest.raises(ToolFailedError) as caught:
        netlist.synthesise(Job("broken", "broken", (source,), tmp_path), tmp_path / "synthesis", time_limit=600)
    assert str(tmp_path / "synthesis.log") in caught.value.hint
    assert (tmp_path / "synthesis.log").is_file()
    assert not (tmp_path / "synthesis").exists()


@pytest.mark.parametrize(
    ("bram", "fails", "failure"),
    [
        (210, "ERROR: another way to say it", "needs 210 DP16KD of 208"),
        (200, "ERROR: Failed to expand region (0, 0) |_> (9, 9)", "ERROR: Failed to expand region (0, 0) |_> (9, 9)"),
    ],
)
def test_no_room_is_seen_by_the_count_or_by_the_words(
    tmp_path: Path, placer: Placer, install: Callable[..., Path], bram: int, fails: str, failure: str
) -> None:
    """More than the device has is no room, whatever nextpnr calls it, and so are the placer's own words for it."""
    install(bram=bram, fails=fails)
    (route,) = placer.routes((1,), folders(tmp_path, 1))
    assert (route.fits, route.failure) == (False, failure)


def test_other_errors_of_nextpnr_are_errors_and_leave_nothing(
    tmp_path: Path, placer: Placer, install: Callable[..., Path]
) -> None:
    install(fails="ERROR: failed to parse the netlist")
    with pytest.raises(ToolFailedError, match=r"(?s)seed 1: .*code 255.*failed to parse.*seed_1.log"):
        placer.routes((1,), folders(tmp_path, 1))
    assert [path.name for path in (tmp_path / "work").iterdir() if "seed" in path.name] == ["seed_1.log"]
    assert "failed to parse" in (tmp_path / "work" / "seed_1.log").read_text()


def test_the_slowest_clock_decides_which_seed_is_best(tmp_path: Path) -> None:
    def route(seed: int, *mhz: float) -> Route:
        clocks = tuple(Clock(f"clk{i}", found, 50.0 * (i + 1)) for i, found in enumerate(mhz))
        return Route(seed, tmp_path, (), clocks, "" if mhz else "no room", 1.0, 1.0, 1, cached=False)

    assert best([route(1, 90, 99), route(2, 60, 110), route(3, 200, 104)]).seed == 2
    assert best([route(1), route(2, 5)]).seed == 2
    assert best([route(4, 70), route(3, 70)]).seed == 3


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return load(SmallUnet().write(tmp_path_factory.mktemp("model") / "small.onnx"))


def test_the_plan_refuses_no_seed_the_same_twice_and_no_frequency(graph: Graph, install: Callable[..., Path]) -> None:
    install()
    plan = Plan(default_folding(graph), BOARD, tools.find("native"), 60.0, (1,))
    for change in ({"seeds": ()}, {"seeds": (1, 1)}, {"mhz": 0.0}, {"mhz": float("inf")}):
        with pytest.raises(OptionError):
            dataclasses.replace(plan, **change)  # type: ignore[arg-type]
    with pytest.raises(BoardError):
        dataclasses.replace(plan, board=load_board("arty_a7_100t"))


def test_the_measurement_top_is_clean_and_has_the_pins_of_the_board(graph: Graph, tmp_path: Path) -> None:
    project = rtl_project.write(graph, default_folding(graph), tmp_path)
    top = measurement_top(project, BOARD)
    sources = (*(path for path in top.sources[:-1] if path not in project.sources), *project.sources, top.sources[-1])
    lint(sources, top.name, project.folder)
    assert 'LOCATE COMP "clk" SITE "G2";' in top.constraints.read_text()
    assert 'LOCATE COMP "rst_n"' in top.constraints.read_text()
    for left_out in ("FREQUENCY", "led"):
        assert left_out not in top.constraints.read_text()


def test_a_board_without_a_pin_for_the_reset_is_refused(graph: Graph, tmp_path: Path) -> None:
    lpf = tmp_path / "board.lpf"
    lpf.write_text('LOCATE COMP "clk" SITE "G2"; # LOCATE COMP "rst_n" SITE "D6";\nIOBUF PORT "rst_n" PULLMODE=UP;\n')
    project = rtl_project.write(graph, default_folding(graph), tmp_path / "rtl")
    with pytest.raises(BoardError, match="a pin for rst_n"):
        measurement_top(project, dataclasses.replace(BOARD, constraints=lpf))


def test_the_top_of_a_board_has_its_clock_generator_and_its_serial_pins(graph: Graph, tmp_path: Path) -> None:
    project = rtl_project.write(graph, default_folding(graph), tmp_path)
    top = serial_top(graph, BOARD, 60.0)(project, BOARD)
    text = top.constraints.read_text()
    for line in ('FREQUENCY NET "core_clk" 60.000000 MHZ;', 'FREQUENCY PORT "clk" 25 MHZ;', 'LOCATE COMP "uart_rx"'):
        assert line in text
    design = netlist.job(project, default_folding(graph), top, BOARD.family)
    assert design.top == f"{project.top}_{BOARD.name}"
    assert design.sources[0].name == "EHXPLLL.sv"
    assert len({path.name for path in design.sources}) == len(design.sources)
    found = netlist.synthesise(design, tmp_path / "synthesis", time_limit=600)
    cells = json.loads(found.file.read_text())["modules"][top.name]["cells"].values()
    assert [cell["type"] for cell in cells].count("EHXPLLL") == 1


def test_each_layers_multiplications_are_made_as_its_style_says(graph: Graph, tmp_path: Path) -> None:
    folding = dict(default_folding(graph))
    multiplying = [name for name in folding if graph.node(name).multiplies]
    hard = multiplying[0]
    assert len(multiplying) == 3
    folding[hard] = dataclasses.replace(folding[hard], style="folded-dsp")
    project = rtl_project.write(graph, folding, tmp_path / "rtl")
    top = measurement_top(project, BOARD)
    design = netlist.job(project, folding, top, BOARD.family)
    assert design.hard == (f"u_network.u_{hard}",)
    found = netlist.synthesise(design, tmp_path / "synthesis", time_limit=600)
    cells = json.loads(found.file.read_text())["modules"][top.name]["cells"]
    multipliers = [name for name, cell in cells.items() if cell["type"] == "MULT18X18D"]
    assert len(multipliers) == found.usage.dsp >= 1
    assert all(name.startswith(f"u_network.u_{hard}.") for name in multipliers)
    others = [name for name in multiplying if name != hard]
    for name in others:
        products = f"u_network.u_{name}.u_matrix_vector.gen_lanes.u_products."
        assert any(cell["type"] == "CCU2C" and key.startswith(products) for key, cell in cells.items())
    assert netlist.synthesise(design, tmp_path / "synthesis", time_limit=600).cached
    assert netlist.key(design) != netlist.key(dataclasses.replace(design, hard=()))


class Silent:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.done: list[tuple[str, bool]] = []

    def started(self, step: str, log: Path | None) -> None:
        assert step

    def finished(self, step: str, message: str, *, cached: bool) -> None:
        assert message
        self.done.append((step, cached))


def test_another_top_is_taken_as_it_is_given(graph: Graph, tmp_path: Path, install: Callable[..., Path]) -> None:
    """Files, name and constraints are the maker's; a second run makes nothing again; the fastest seed is packed."""
    install()

    def maker(project: rtl_project.RtlProject, board: Board) -> flow.Top:
        made = measurement_top(project, board)
        source = project.folder / "rtl" / "other_top.sv"
        source.write_text(made.sources[-1].read_text().replace(made.name, "other_top"))
        lpf = project.folder / "other.lpf"
        lpf.write_text("BLOCK RESETPATHS;\n")
        return flow.Top("other_top", (*made.sources[:-1], source), lpf, made.network)

    plan = Plan(default_folding(graph), BOARD, tools.find("native"), 60.0, (1, 2, 3), top=maker)
    for cached in (False, True):
        observer = Silent()
        outcome = flow.run(plan, tmp_path / "out", observer)
        first, *routed, last = observer.done
        assert (first, last) == (("synthesis", cached), ("bitstream", cached))
        assert sorted(routed) == [(f"place and route, seed {seed}", cached) for seed in plan.seeds]
    assert outcome.top.name == "other_top"
    assert "other_top" in json.loads(outcome.netlist.file.read_text())["modules"]
    assert outcome.packed is not None
    assert (outcome.best.seed, outcome.packed.file.read_text()) == (2, "seed 2"), "the fastest of the three"
    with pytest.raises(FileFormatError, match="with the module nothing"):
        dataclasses.replace(outcome, top=dataclasses.replace(outcome.top, name="nothing")).module()
