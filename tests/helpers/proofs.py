"""Proofs of the SystemVerilog library: every property in every reachable state, by property-directed reachability.

A harness in ``tests/formal`` holds one module, what surrounds it, and its properties. pyosys turns both, with the
assertions that the module has anyway, into an AIGER circuit; ``yosys-abc``, which comes with pyosys, proves it.
``nox -s proofs`` prints the table.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from helpers.faults import Fault, library_with

HARNESSES = Path(__file__).resolve().parents[1] / "formal"

_PASSES = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for line in sys.stdin.read().splitlines():
    libyosys.run_pass(line, design)
top = design.top_module()
for port in top.ports:
    if top.wire(port).port_output:
        print("output", port.str())
"""


class ProofSetupError(RuntimeError):
    """A proof could not be set up, or the prover said something that is no verdict."""


@dataclass(frozen=True)
class Setting:
    """One module with one set of parameters.

    Attributes:
        module: The module's name, ``qun_fifo``.
        parameters: Of the harness.
        constants: Other values of constants of ``qun_device_pkg``, so that a small buffer takes the form of a deep one.
        seconds: After which the prover gives up and what is proven becomes bounded.
        bound: Cycles to which it is then proven.
        slow: Whether it takes more than a few seconds.
        memories: Words of the memory files that the harness names.
    """

    module: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, int] = field(default_factory=dict)
    seconds: int = 300
    bound: int = 0
    slow: bool = False
    memories: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __str__(self) -> str:
        values = {**self.parameters, **self.constants}
        return f"{self.module}({', '.join(f'{name}={value}' for name, value in values.items())})"


@dataclass(frozen=True)
class Seeded:
    """A fault of a module and the property that must fail by it."""

    fault: Fault
    setting: Setting
    violates: str


@dataclass(frozen=True)
class Proven:
    """What the prover found of one setting.

    Attributes:
        proven: Properties that hold in every reachable state, or up to `bound`.
        failed: Properties that do not, and the cycle of the counterexample.
        undecided: Properties of which neither is known.
        reached: Cover points that are reached, and in which cycle.
        missed: Cover points that were not.
        bound: Cycles from the first reset; 0 is without bound.
        seconds: Processor time of everything.
    """

    proven: tuple[str, ...]
    failed: Mapping[str, int]
    undecided: tuple[str, ...]
    reached: Mapping[str, int]
    missed: tuple[str, ...]
    bound: int
    seconds: float

    def holds(self) -> bool:
        """Return whether there are properties and cover points, all proven and all reached."""
        return bool(self.proven and self.reached) and not (self.failed or self.undecided or self.missed)


def write_circuit(setting: Setting, folder: Path, fault: Fault | None = None) -> tuple[Path, tuple[str, ...]]:
    """Write the circuit of a setting.

    Args:
        setting: What to prove.
        folder: A folder that exists, for the copy of the library and the circuit.
        fault: Is put into the copy.

    Returns:
        The AIGER file and the names of its outputs, ``wrong_<property>`` and ``seen_<cover point>`` behind their
        instance.

    Raises:
        ProofSetupError: The sources are not accepted, or a constant is not there.
        MisfitError: The fault does not fit.
    """
    library = library_with(folder / "rtl", fault)
    for shared in (HARNESSES / "qun_assert.svh", *HARNESSES.glob("proof_*.sv")):
        shutil.copy(shared, library)
    package = library / "qun_device_pkg.sv"
    text = package.read_text(encoding="utf-8")
    for name, value in setting.constants.items():
        text, count = re.subn(rf"\b{name} = \d+;", f"{name} = {value};", text)
        if count != 1:
            msg = f"{setting}: expected one constant {name} in {package.name}, got {count}"
            raise ProofSetupError(msg)
    package.write_text(text, encoding="utf-8")
    for name, words in setting.memories.items():
        (folder / name).write_text("".join(f"{word:x}\n" for word in words), encoding="ascii")
    harness = HARNESSES / f"prove_{setting.module.removeprefix('qun_')}.sv"
    circuit, names_file = folder / "proof.aig", folder / "proof.map"
    packages = sorted(map(str, library.glob("*_pkg.sv")))
    options = [f"--threads 1 --top {harness.stem}", f"-I {library}", f"-y {library}", "--libext .sv"]
    options += [f"-G {name}={value}" for name, value in setting.parameters.items()]
    passes = [
        f"read_slang {' '.join([*options, *packages, str(harness)])}",
        f"prep -flatten -top {harness.stem}",
        "chformal -lower",
        "expose w:wrong_* w:*.wrong_* w:seen_* w:*.seen_*",
        "async2sync; dffunmap; setundef -undriven -anyseq; memory_map; opt -full",
        # What is undefined, a word beyond a memory's end for one, may be anything in any cycle.
        "setundef -anyseq; techmap; opt -fast; setundef -anyseq; dffunmap; aigmap; opt_clean",
        # What has no initial value starts with any.
        f"write_aiger -zinit -map {names_file} {circuit}",
    ]
    done = run_passes(passes, folder)
    if done.returncode != 0 or not circuit.is_file():
        msg = f"{setting}: {(done.stdout + done.stderr)[-3000:]}"
        raise ProofSetupError(msg)
    names = tuple(re.findall(r"^output \\?(\S*\b(?:wrong|seen)_\S+)$", done.stdout, re.MULTILINE))
    # The map names all outputs that are not constant.
    known = re.findall(r"^output (\d+) 0 (\S+)$", names_file.read_text(encoding="utf-8"), re.MULTILINE)
    if not known or any(names[int(number)] != name for number, name in known) or _outputs(circuit) != len(names):
        msg = f"{setting}: expected the outputs {names}, got {known}"
        raise ProofSetupError(msg)
    return circuit, names


def run_passes(passes: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run passes of Yosys in a process of their own, which then prints the outputs of the top; its code is 0 or not."""
    command = [sys.executable, "-c", _PASSES]
    return subprocess.run(command, input="\n".join(passes), capture_output=True, text=True, check=False, cwd=folder)


def _outputs(circuit: Path) -> int:
    """Return how many outputs an AIGER file has."""
    return int(circuit.read_bytes().partition(b"\n")[0].split()[4])


def _abc(circuit: Path, outputs: Sequence[int], command: str, seconds: float) -> str:
    """Return what the prover says of some outputs, under the assumptions, which ``fold`` makes part of each.

    Raises:
        ProofSetupError: It is not there, or fails.
    """
    chosen = f"fold; strash; cone -N {','.join(map(str, outputs))}; strash"
    return run_abc(circuit, f"{chosen}; {command}", seconds)


def run_abc(circuit: Path, commands: str, seconds: float) -> str:
    """Return what ABC says of a circuit.

    Raises:
        ProofSetupError: It is not there, or fails.
    """
    found = find_spec("pyosys")
    if found is None or found.origin is None:
        raise ProofSetupError("pyosys is not installed: pip install 'quantunet[synth]'")
    script = f"read_aiger {circuit}; {commands}"
    done = subprocess.run(
        [Path(found.origin).parent / "yosys-abc", "-c", script],
        cwd=circuit.parent, capture_output=True, text=True, check=False, timeout=seconds + 120,
    )  # fmt: skip
    if done.returncode != 0:
        msg = f"{script}: code {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"
        raise ProofSetupError(msg)
    return done.stdout


def _decide(circuit: Path, outputs: Sequence[int], seconds: float) -> tuple[set[int], dict[int, int]]:
    """Return the outputs that are never 1, and those that are in some run, with the cycle."""
    said = _abc(circuit, outputs, f"scorr; pdr -a -T {math.ceil(seconds)}", seconds)
    never = {outputs[int(number)] for number in re.findall(r"^Proved output +(\d+) in frame", said, re.MULTILINE)}
    once = re.findall(r"^Output +(\d+) was asserted in frame +(\d+)", said, re.MULTILINE)
    total = re.search(r"^Properties: +All = (\d+)\. Proved = (\d+)\. Disproved = (\d+)\.", said, re.MULTILINE)
    counted = (len(outputs), len(never), len(once))
    if total is None or counted != tuple(map(int, total.groups())):
        msg = f"{circuit}: expected outputs, never and once {counted}, got {said[-2000:]}"
        raise ProofSetupError(msg)
    if "(converged)" in said and not re.search(
        r"^Verification of invariant with \d+ clauses was successful", said, re.MULTILINE
    ):
        msg = f"{circuit}: the prover did not verify its invariant: {said[-2000:]}"
        raise ProofSetupError(msg)
    return never, {outputs[int(number)]: int(frame) for number, frame in once}


def prove(setting: Setting, fault: Fault | None = None) -> Proven:
    """Prove all properties of a setting, and reach its cover points.

    Args:
        setting: What to prove.
        fault: Is put into a copy of the module.

    Raises:
        ProofSetupError: There are no properties, or no cover points, or a tool failed.
        MisfitError: The fault does not fit.
    """
    begin = _processor_seconds()
    with tempfile.TemporaryDirectory(prefix="proof") as folder:
        circuit, names = write_circuit(setting, Path(folder), fault)
        wrong = [number for number, name in enumerate(names) if _kind(name) == "wrong"]
        seen = [number for number, name in enumerate(names) if _kind(name) == "seen"]
        if not wrong or not seen:
            msg = f"{setting}: expected properties and cover points, got {len(wrong)} and {len(seen)}"
            raise ProofSetupError(msg)
        never, once = _decide(circuit, wrong, setting.seconds)
        _, reached = _decide(circuit, seen, setting.seconds)
        undecided = [number for number in wrong if number not in never and number not in once]
        bound = 0
        if undecided and setting.bound and not once:
            said = _abc(circuit, undecided, f"orpos; bmc3 -F {setting.bound} -T {setting.seconds}", setting.seconds)
            if re.search(rf"^No output asserted in {setting.bound} frames", said, re.MULTILINE):
                never, undecided, bound = never | set(undecided), [], setting.bound
    return Proven(
        proven=tuple(_property(names[number]) for number in sorted(never)),
        failed={_property(names[number]): frame for number, frame in once.items()},
        undecided=tuple(_property(names[number]) for number in undecided),
        reached={_property(names[number]): frame for number, frame in reached.items()},
        missed=tuple(_property(names[number]) for number in seen if number not in reached),
        bound=bound,
        seconds=_processor_seconds() - begin,
    )


def violation(seeded: Seeded) -> int | None:
    """Return the cycle of the first counterexample of the property that a fault must violate; None if it holds.

    Raises:
        ProofSetupError: The harness has no such property, or a tool failed.
        MisfitError: The fault does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="proof") as folder:
        circuit, names = write_circuit(seeded.setting, Path(folder), seeded.fault)
        suffix = f".wrong_{seeded.violates}"
        outputs = [number for number, name in enumerate(names) if f".{name}".endswith(suffix)]
        if not outputs:
            msg = f"{seeded.setting}: no property is named {seeded.violates}"
            raise ProofSetupError(msg)
        _, once = _decide(circuit, outputs, seeded.setting.seconds)
    return min(once.values(), default=None)


def _processor_seconds() -> float:
    """Return what all tools that have ended have taken of one core, in seconds."""
    times = os.times()
    return times.children_user + times.children_system


def _kind(name: str) -> str:
    return name.rpartition(".")[2].partition("_")[0]


def _property(name: str) -> str:
    """Return ``u_stream.offer_held`` of ``u_stream.wrong_offer_held``."""
    path, dot, last = name.rpartition(".")
    return f"{path}{dot}{last.partition('_')[2]}"
