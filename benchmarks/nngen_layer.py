"""One convolution with nngen: its Verilog, and a simulation of it against nngen's own model.

Runs in an environment of its own that holds nngen and nothing of this project; :mod:`benchmarks.rerun_neighbours` makes
it and reads the line of JSON that this prints last.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from pathlib import Path

import nngen as ng
import numpy as np
import veriloggen as vg
import veriloggen.thread as vthread
from veriloggen import simulation
from veriloggen.types import axi

TOP = "nngen_conv"

_AXI_BITS = 32
_PAGE = 4096
_PERIOD = 10
_LIMIT = 10_000_000
"""Cycles after which the simulation ends by itself."""


def main(data: str, par_in: int, par_out: int, folder: Path) -> None:
    """Generate, simulate and compare.

    Args:
        data: An ``.npz`` file with ``image`` (1, h, w, ci), ``weight`` (co, k, k, ci), ``bias`` (co,) and ``shift``.
        par_in: Input channels at a time.
        par_out: Output channels at a time.
        folder: Where ``nngen_conv.v`` and the simulation go.
    """
    # nngen's hardware and its model disagree on unsigned 4-bit types: signed ones, with values of 0 to 7.
    arrays = np.load(data)
    begin = time.perf_counter()
    image = ng.placeholder(ng.int4, shape=arrays["image"].shape, name="image")
    weight = ng.variable(ng.int4, shape=arrays["weight"].shape, name="weight")
    bias = ng.variable(ng.int16, shape=arrays["bias"].shape, name="bias")
    options = {"act_func": ng.relu, "dtype": ng.int4, "sum_dtype": ng.int32, "par_ich": par_in, "par_och": par_out}
    out = ng.conv2d(image, weight, (1, 1, 1, 1), bias=bias, rshift_out=int(arrays["shift"]), padding="SAME", **options)
    target = ng.to_veriloggen([out], TOP, silent=True, config={"maxi_datawidth": _AXI_BITS})
    verilog = target.to_verilog()
    seconds = time.perf_counter() - begin
    (folder / f"{TOP}.v").write_text(verilog)
    values = {image: arrays["image"], weight: arrays["weight"], bias: arrays["bias"]}
    expected = ng.eval([out], image=values[image], weight=values[weight], bias=values[bias])[0]

    # The memory that nngen's master reads: its inputs, its output, the expected output, its global addresses.
    tensors = (*values, out)
    room = math.ceil(max(one.memory_size for one in tensors) / _PAGE) * _PAGE
    check = max(one.addr for one in tensors) + room
    content = np.zeros([(check + 4 * room) // 4], dtype=np.int64)
    places = [(one, array, one.addr, par_out if one is bias else par_in) for one, array in values.items()]
    for one, array, address, lanes in (*places, (out, expected, check, par_out)):
        align = max(math.ceil(_AXI_BITS / one.dtype.width), lanes)
        axi.set_memory(content, array, 32, one.dtype.width, address, align)

    bench = vg.Module("bench")
    bench.copy_params(target)
    ports = bench.copy_sim_ports(target)
    clk, resetn = ports["CLK"], ports["RESETN"]
    rst = bench.Wire("RST")
    rst.assign(vg.Not(resetn))
    names = {"memimg": content, "memimg_name": str(folder / "memory.hex"), "memimg_datawidth": 32}
    memory = axi.AxiMemoryModel(bench, "memory", clk, rst, datawidth=_AXI_BITS, **names)
    memory.connect(ports, "maxi")
    control = vthread.AXIMLite(bench, "control", clk, rst, noio=True)
    control.connect(ports, "saxi")
    counter = bench.Reg("counter", 32, initval=0)
    vg.Seq(bench, "seq", clk, rst)(counter.inc())
    words = int(np.prod(out.aligned_shape)) * out.dtype.width // 32

    def drive() -> None:  # becomes a state machine of the bench
        for _ in range(100):
            pass
        ng.sim.set_global_addrs(control, check + room)
        start = counter.value
        ng.sim.start(control)
        ng.sim.wait(control)
        end = counter.value
        print("cycles %d" % (end - start))  # noqa: T201, UP031
        wrong = 0
        for index in range(words):
            got = memory.read_word(index, out.addr, 32)
            want = memory.read_word(index, check, 32)
            if vthread.verilog.NotEql(got, want):
                wrong += 1
        print("wrong %d" % wrong)  # noqa: T201, UP031
        vthread.finish()

    vthread.Thread(bench, "drive", clk, rst, drive).start()
    bench.Instance(target, "dut", params=bench.connect_params(target), ports=bench.connect_ports(target))
    simulation.setup_clock(bench, clk, hperiod=_PERIOD // 2)
    reset = simulation.setup_reset(bench, resetn, bench.make_reset(), period=10 * _PERIOD, polarity="low")
    reset.add(vg.Delay(_LIMIT * _PERIOD), vg.Systask("finish"))
    said = simulation.Simulator(bench, sim="iverilog").run(outputfile=str(folder / "bench.out"))
    found = {name: int(count) for name, count in re.findall(r"^(cycles|wrong) +(\d+)", said, re.MULTILINE)}
    result = {
        "cycles": found.get("cycles", 0),
        "exact": found.get("wrong") == 0 and len(np.unique(expected)) > 2,
        "values": int(expected.size),
        "lines": verilog.count("\n"),
        "seconds": round(seconds, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
