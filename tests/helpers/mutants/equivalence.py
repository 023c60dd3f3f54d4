"""Whether a mutant can be seen at all: a proof that a bench's instance with it and without it does the same.

Both copies are synthesised without technology and put under one surrounding that resets at any time, offers any data at
any time and takes it at any time, and that keeps to the rules of streams. ABC then proves that ready, valid, and while
valid data and last, are the same in every reachable state, or finds a run in which they are not. As in the simulation,
what has no value begins at zero. A proof holds for the parameters of its case alone.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.benches.cases import TOP, Case, write_cases
from helpers.mutants.generate import PACKAGE, Mutated
from helpers.mutants.simulate import write_library
from helpers.proofs import ProofSetupError, run_abc, run_passes

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.hls.templates.environment import template_environment

_CHECKER = """module qun_axis_check #(
    parameter int unsigned Bits = 8, parameter int unsigned Beats = 1, parameter string Name = "stream"
) (
    input wire logic clk, input wire logic rst_n, input wire logic [Bits-1:0] tdata,
    input wire logic tvalid, input wire logic tready, input wire logic tlast
);
endmodule
"""
_TEMPLATES = template_environment(Path(__file__).parent)
_PORT = re.compile(r"^ *(input wire|output) logic \[(\d+):0\] (\w+)_tdata,", re.MULTILINE)
_PASSES = (
    "read_rtlil gold.il",
    "read_rtlil gate.il",
    "read_verilog -sv qun_miter.sv",
    "prep -flatten -top qun_miter",
    "async2sync; dffunmap; setundef -undriven -zero; setundef -init -zero; setundef -zero; memory_map; opt -full",
    "setundef -zero; techmap; opt -fast; setundef -zero; setundef -init -zero; dffunmap; aigmap; opt_clean",
)
EQUIVALENT, VISIBLE, UNKNOWN = "equivalent", "visible", "unknown"


@dataclass(frozen=True)
class Proof:
    """What is known of a mutant in one case.

    Attributes:
        verdict: ``equivalent``, ``visible`` or ``unknown``.
        cycle: Of a visible one, the last cycle of the run that shows it.
    """

    verdict: str
    cycle: int | None = None


def compare(case: Case, mutated: Mutated, numbers: Sequence[int], *, seconds: int = 20) -> Iterator[Proof]:
    """Compare a case's instance as the library has it with its mutants, and yield what is known of each.

    Args:
        case: The case.
        mutated: The module with its mutants.
        numbers: The mutants; 0 is the copy without one, which is equivalent.
        seconds: Bound for each of two engines.

    Raises:
        ProofSetupError: A tool refuses something.
    """
    with tempfile.TemporaryDirectory(prefix="miter") as name:
        folder = Path(name)
        top = _synthesise(case, mutated, None, "gold", folder)
        (folder / "qun_miter.sv").write_text(_miter(case, top), encoding="utf-8")
        circuit = folder / "miter.aig"
        for number in numbers:
            circuit.unlink(missing_ok=True)
            _synthesise(case, mutated, number, "gate", folder)
            done = run_passes([*_PASSES, f"write_aiger -zinit {circuit}"], folder)
            if done.returncode or not circuit.is_file():
                raise ProofSetupError((done.stdout + done.stderr)[-3000:])
            engines = f"strash; scorr; print_stats; sat; bmc3 -F 40 -T {seconds}; pdr -T {seconds}"
            yield _verdict(run_abc(circuit, engines, 2 * seconds))


def _verdict(said: str) -> Proof:
    if re.search(r"lat += +0 ", said):  # nothing of the state is left to which the output is not indifferent
        return Proof(EQUIVALENT) if "UNSATISFIABLE" in said else Proof(VISIBLE, 0)
    if shown := re.search(r"^Output 0 .*was asserted in frame (\d+)", said, re.MULTILINE):
        return Proof(VISIBLE, int(shown[1]))
    if "Property UNDECIDED" not in said and re.search(r"^Property proved", said, re.MULTILINE):
        return Proof(EQUIVALENT)
    return Proof(UNKNOWN)


def _synthesise(case: Case, mutated: Mutated, number: int | None, name: str, folder: Path) -> str:
    """Write one copy as RTLIL; return the text of its top. Without a number it is the library as it is."""
    work = folder / name
    library = write_library(work / "rtl", mutated)
    if number is None:
        shutil.copy(RTL_FOLDER / f"{mutated.module}.sv", library)
    package = f"package {PACKAGE};\n  localparam int selected = {number or 0};\nendpackage\n"
    (library / f"{PACKAGE}.sv").write_text(package, encoding="ascii")
    sources = write_cases([case], work, rtl_folder=library)
    checker = work / "qun_axis_check.sv"
    checker.write_text(_CHECKER, encoding="ascii")
    files = [str(checker if each.name == checker.name else each) for each in sources]
    passes = [
        f"read_slang --threads 1 --top {TOP} -I {library} {' '.join(files)}",
        f"prep -flatten -top {TOP}",
        f"rename {TOP} {name}",
        f"write_rtlil {folder / name}.il",
    ]
    done = run_passes(passes, work)
    if done.returncode or not (folder / f"{name}.il").is_file():
        msg = f"{mutated.module} {number}: {(done.stdout + done.stderr)[-3000:]}"
        raise ProofSetupError(msg)
    return sources[-1].read_text(encoding="utf-8")


def _miter(case: Case, top: str) -> str:
    beats = {f"c0_{stream.name}": stream.beats for stream in case.streams}
    ports = [
        {"name": name, "bits": int(high) + 1, "beats": beats[name], "input": direction.startswith("input")}
        for direction, high, name in _PORT.findall(top)
    ]
    extras = [(f"c0_{name}", bits) for name, bits in case.extras]
    return _TEMPLATES.get_template("miter.sv.j2").render(ports=ports, extras=extras)
