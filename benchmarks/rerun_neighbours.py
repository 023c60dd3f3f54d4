"""Measure a neighbour anew, as ``neighbours.json`` has it: ``python -m benchmarks.rerun_neighbours``.

Installs the exact version of the tool into an environment of its own, builds the layer, simulates it against the tool's
own model, counts the cycles, and synthesises it with the flow that this project's layers go through.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import workloads
from benchmarks.machine import ROOT
from benchmarks.neighbours import Figure
from quantunet import exit_codes
from quantunet.errors import QuantUNetError, ToolFailedError, ToolMissingError
from quantunet.hls.design import Design, Stream
from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.hls.synth import yosys
from quantunet.hls.synth.families import Usage
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import random_image
from quantunet.rtl_sim import bench

NNGEN = "1.3.4"
FINN = "1.6.1"

_NNGEN_TOP = "nngen_conv"
_FINN_TOP = "qun_finn_layer"

# brevitas wants an older setuptools than torch does; RTL needs neither to work, so finn-plus and brevitas come alone.
_FINN_PACKAGES = (
    ("--no-deps", f"finn-plus=={FINN}", "brevitas==0.13.0"),
    (
        "bitstring<4.4", "click<9", "dependencies", "mashumaro[yaml]<4", "matplotlib<3.11", "mip==1.17.0", "numpy<2.5",
        "onnx-ir", "onnx-passes", "onnx==1.21.0", "onnxoptimizer<0.5", "onnxruntime==1.25.1", "onnxscript", "psutil",
        "pandas<2.4", "protobuf==5.29.6", "pydantic", "pyyaml", "qonnx==1.0.0", "rich<14", "scikit-learn<1.8",
        "scipy<1.18", "termcolor<3", "torch", "unfoldNd",
    ),
)  # fmt: skip

# The memory of the weights; finn-plus names what else it needs.
_FINN_MEMORY = ("axi/hdl/axilite.sv", "memstream/hdl/memstream.sv", "memstream/hdl/memstream_axi.sv")

_FINN_JOINED = """// Padding, sliding window, matrix-vector unit and memory of finn-plus, as Vivado would join them.
module {top} (
    input logic clk,
    input logic rst_n,
    input logic [{in_bits}-1:0] s_axis_tdata,
    input logic s_axis_tvalid,
    output logic s_axis_tready,
    input logic s_axis_tlast,
    output logic [{out_bits}-1:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input logic m_axis_tready,
    output logic m_axis_tlast
);
  logic [{in_bits}-1:0] padded, windows;
  logic [{weight_bits}-1:0] weights;
  logic padded_valid, padded_ready, windows_valid, windows_ready, weights_valid, weights_ready;
  logic [31:0] beat_q;

  pad u_pad (
      .ap_clk(clk), .ap_rst_n(rst_n), .s_axilite_AWVALID(1'b0), .s_axilite_WVALID(1'b0), .s_axilite_BREADY(1'b0),
      .s_axilite_ARVALID(1'b0), .s_axilite_RREADY(1'b0), .s_axilite_AWADDR('0), .s_axilite_ARADDR('0),
      .s_axilite_WDATA('0), .s_axilite_WSTRB('0),
      .in0_V_TDATA(s_axis_tdata), .in0_V_TVALID(s_axis_tvalid), .in0_V_TREADY(s_axis_tready),
      .out0_V_TDATA(padded), .out0_V_TVALID(padded_valid), .out0_V_TREADY(padded_ready)
  );
  window u_window (
      .ap_clk(clk), .ap_rst_n(rst_n),
      .in0_V_TDATA(padded), .in0_V_TVALID(padded_valid), .in0_V_TREADY(padded_ready),
      .out0_V_TDATA(windows), .out0_V_TVALID(windows_valid), .out0_V_TREADY(windows_ready)
  );
  matrix_memstream_wrapper u_memory (
      .ap_clk(clk), .ap_clk2x(clk), .ap_rst_n(rst_n), .s_axilite_AWVALID(1'b0), .s_axilite_WVALID(1'b0),
      .s_axilite_BREADY(1'b0), .s_axilite_ARVALID(1'b0), .s_axilite_RREADY(1'b0), .s_axilite_AWPROT('0),
      .s_axilite_AWADDR('0), .s_axilite_WDATA('0), .s_axilite_WSTRB('0), .s_axilite_ARPROT('0), .s_axilite_ARADDR('0),
      .s_axis_0_tvalid(1'b0), .s_axis_0_tdata('0),
      .m_axis_0_tready(weights_ready), .m_axis_0_tvalid(weights_valid), .m_axis_0_tdata(weights)
  );
  matrix u_matrix (
      .ap_clk(clk), .ap_clk2x(clk), .ap_rst_n(rst_n),
      .in1_V_TDATA(weights), .in1_V_TVALID(weights_valid), .in1_V_TREADY(weights_ready),
      .in0_V_TDATA(windows), .in0_V_TVALID(windows_valid), .in0_V_TREADY(windows_ready),
      .out0_V_TDATA(m_axis_tdata), .out0_V_TVALID(m_axis_tvalid), .out0_V_TREADY(m_axis_tready)
  );

  // finn-plus has no tlast: its own frame ends are counted, for the bench.
  assign m_axis_tlast = beat_q == {beats} - 1;
  always_ff @(posedge clk) begin
    if (!rst_n) beat_q <= '0;
    else if (m_axis_tvalid && m_axis_tready) beat_q <= m_axis_tlast ? '0 : beat_q + 1;
  end
endmodule
"""


@dataclass(frozen=True)
class Setting:
    """A configuration of nngen or finn-plus.

    Attributes:
        tool: ``nngen`` or ``finn-plus``.
        workload: ``l8`` or ``l16``.
        lanes_in: Input channels at a time.
        lanes_out: Output channels at a time.
    """

    tool: str
    workload: str
    lanes_in: int
    lanes_out: int

    @property
    def name(self) -> str:
        """A name for folders and messages."""
        return f"{self.tool}-{self.workload}-{self.lanes_in}x{self.lanes_out}"

    @property
    def configuration(self) -> str:
        """The tool's own words for its parallelism."""
        if self.tool == "nngen":
            return f"par {self.lanes_in}x{self.lanes_out}"
        return f"PE {self.lanes_out}, SIMD {self.lanes_in}"


SETTINGS = (
    Setting("nngen", "l8", 1, 1),
    Setting("nngen", "l8", 2, 4),
    Setting("finn-plus", "l8", 8, 8),
    Setting("finn-plus", "l16", 16, 16),
)


def environment(tool: str, folder: Path) -> Path:
    """Return the Python of an environment that holds a tool; it is made at the first call.

    Raises:
        ToolMissingError: Icarus Verilog, which nngen simulates with, is not installed.
        ToolFailedError: The tool cannot be installed.
    """
    if tool == "nngen" and shutil.which("iverilog") is None:
        raise ToolMissingError(
            "iverilog", expected="Icarus Verilog on PATH", got="none", hint="Install it: apt-get install iverilog"
        )
    python, ready = folder / "bin" / "python", folder / "installed"
    if not ready.is_file():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        for packages in ((f"nngen=={NNGEN}",),) if tool == "nngen" else _FINN_PACKAGES:
            _run([str(python), "-m", "pip", "install", "--quiet", *packages])
        ready.touch()
    return python


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        raise ToolFailedError(command[0], expected="exit code 0", got=f"{done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def _layer(setting: Setting) -> tuple[Graph, Conv2d]:
    graph: Graph = getattr(workloads, setting.workload)()
    node = graph.node("conv")
    if not isinstance(node, Conv2d):
        raise TypeError(node)
    return graph, node


def _area(setting: Setting, top: str, sources: tuple[Path, ...], folder: Path) -> Usage:
    job = Job(setting.name, top, sources, folder, dsp=True)
    (area,) = yosys.synthesise([job], folder.parent / "cache", time_limit=3600)
    return area.usage


def nngen(setting: Setting, python: Path, folder: Path) -> Figure:
    """Build, check and synthesise one configuration of nngen.

    Raises:
        ToolFailedError: nngen failed, or its hardware computes something else than its model.
    """
    graph, node = _layer(setting)
    np.savez(
        folder / "layer.npz",
        image=np.minimum(random_image(graph), 7)[None],
        weight=node.weight.array.transpose(3, 0, 1, 2),
        bias=node.bias.array,
        shift=node.weight_type.frac + graph.input_of(node).qtype.frac - graph.output_of(node).qtype.frac,
    )
    script = ROOT / "benchmarks" / "nngen_layer.py"
    channels = [str(setting.lanes_in), str(setting.lanes_out)]
    said = _run([str(python), str(script), str(folder / "layer.npz"), *channels, str(folder)])
    result = json.loads(said.splitlines()[-1])
    if not result["exact"]:
        raise ToolFailedError("nngen", expected="hardware equal to nngen's model", got=str(result))
    usage = _area(setting, _NNGEN_TOP, (folder / f"{_NNGEN_TOP}.v",), folder)
    note = f"generation {result['seconds']:.0f} s, {result['lines']:,} lines of Verilog"
    area = (usage.luteq, usage.ff, usage.dsp)
    return Figure("nngen", NNGEN, setting.workload, setting.configuration, result["cycles"], *area, note)


def finn(setting: Setting, python: Path, folder: Path) -> Figure:
    """Build, check and synthesise one configuration of finn-plus: products and sums, without thresholds.

    Its compute core is taken in the form without primitives of AMD, which its own simulations use.

    Raises:
        ToolFailedError: finn-plus failed, or its hardware computes something else than its model.
    """
    graph, node = _layer(setting)
    image = random_image(graph)
    np.savez(folder / "layer.npz", image=image[None], weight=node.weight.array)
    script = ROOT / "benchmarks" / "finn_layer.py"
    lanes = [str(setting.lanes_out), str(setting.lanes_in)]
    said = _run([str(python), str(script), str(folder / "layer.npz"), *lanes, str(folder)], folder)
    result = json.loads(said.splitlines()[-1])
    expected = np.load(folder / "expected.npy")
    accumulator = QType(int(result["accumulator"].removeprefix("INT")), True, 0)
    source = Stream("x", setting.lanes_in, graph.tensor(graph.input).qtype, graph.tensor(graph.input).shape)
    target = Stream("y", setting.lanes_out, accumulator, expected.shape)
    top = folder / f"{_FINN_TOP}.sv"
    text = _FINN_JOINED.format(
        top=_FINN_TOP,
        in_bits=-(-source.data_bits // 8) * 8,
        out_bits=-(-target.data_bits // 8) * 8,
        weight_bits=-(-setting.lanes_in * setting.lanes_out * node.weight_type.bits // 8) * 8,
        beats=target.beats,
    )
    top.write_text(text, encoding="utf-8")
    library = Path(result["library"])
    files = [*map(Path, result["files"]), *(library / name for name in _FINN_MEMORY)]
    files += [folder / "matrix" / "matrix_memstream_wrapper.v"]
    sources = (*sorted((_mended(path, folder) for path in files), key=lambda path: not path.stem.endswith("_pkg")), top)
    wrapper = folder / "matrix" / "matrix_wrapper.v"
    wrapper.write_text(f"`define FINN_SIMULATION\n{wrapper.read_text(encoding='utf-8')}", encoding="utf-8")
    design = Design(_FINN_TOP, (source, target), (), ("x",), ("y",))
    project = RtlProject(folder, _FINN_TOP, sources, (), design)
    (folder / "rtl").mkdir(exist_ok=True)
    built = bench.build(project, folder.parent / "builds", flags=("-Wno-lint", "-Wno-style", "-Wno-fatal"))
    seen = bench.run(built, [image[None]], expected[None], "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    if not seen.passed or seen.values_compared != expected.size:
        raise ToolFailedError("finn-plus", expected="hardware equal to finn-plus's model", got=str(seen))
    usage = _area(setting, _FINN_TOP, sources, folder)
    note = f"without thresholds; generation {result['seconds']:.0f} s"
    cycles = seen.frame_ends[0]
    return Figure(
        "finn-plus", FINN, setting.workload, setting.configuration, cycles, usage.luteq, usage.ff, usage.dsp, note
    )


def _mended(path: Path, folder: Path) -> Path:
    """Copy a module of finn-plus that Verilator or Yosys refuses, with a declaration moved or a check left out."""
    text = path.read_text(encoding="utf-8")
    if path.name == "add_multi.sv":  # a function in a generate block
        begin, end = text.index("\t\ttypedef int unsigned  leaf_load_t"), text.index("\t\t// Adder Tree")
        before = text.index("\tuwire [SUM_WIDTH-1:0]  sum0;")
        text = text[:before] + text[begin:end] + text[before:begin] + text[end:]
    elif path.name == "axilite.sv":  # a net that is used before its declaration
        text = text.replace("\tuwire  clr_rd;", "\tuwire  clr_rd, snk_re;", 1)
        text = text.replace("\tuwire  snk_re =", "\tassign  snk_re =", 1)
    elif path.name == "mvu.sv":  # a delay, in a check of simulations
        text = text.replace("if(1) begin : blkRecoveryWatch", "if(0) begin : blkRecoveryWatch", 1)
    elif path.name == "window_wrapper.v":  # parameters in the ports before their declaration
        ports, body = text.split(");", 1)
        for name, value in re.findall(r"^parameter (\w+) = (\d+);", body, re.MULTILINE):
            ports = re.sub(rf"\b{name}\b", value, ports)
        text = f"{ports});{body}"
    else:
        return path
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return copy


def main() -> int:
    """Measure and print; 2 where a tool is missing or fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rerun_neighbours", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/neighbours"), help="(default: %(default)s)")
    names = [setting.name for setting in SETTINGS]
    parser.add_argument("--settings", nargs="+", choices=names, default=names, help="(default: all)")
    args = parser.parse_args()
    console = Console(width=160)
    folder = args.folder.resolve()
    try:
        for setting in SETTINGS:
            if setting.name not in args.settings:
                continue
            version, measure = (NNGEN, nngen) if setting.tool == "nngen" else (FINN, finn)
            with console.status(f"installing {setting.tool} {version}"):
                python = environment(setting.tool, folder / f"{setting.tool}-{version}")
            place = folder / setting.name
            place.mkdir(parents=True, exist_ok=True)
            with console.status(setting.name):
                figure = measure(setting, python, place)
            (row,) = figure.rows()
            console.print(f"{row.subject}, {row.measure}: {row.value:.1f} {row.unit}; {row.note}", highlight=False)
    except QuantUNetError as error:
        Console(stderr=True).print(str(error), style="red")
        return exit_codes.BAD_INPUT
    return exit_codes.SUCCESS


if __name__ == "__main__":
    sys.exit(main())
