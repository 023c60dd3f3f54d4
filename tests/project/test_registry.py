"""An op that lacks a sheet, a member of one, or a row of a table is refused by name when the table is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quantunet.golden.table import GoldenOp
from quantunet.hls.csim.lower.table import Lowering
from quantunet.hls.modules.sheet import Layer, Plumbing
from quantunet.hls.modules.table import rules
from quantunet.hls.schedule.program import known_rules
from quantunet.ops import OPS, RegistryError, members, op_of, sheets, table

SHEETS = {
    "golden": ("quantunet.golden.ops", "quantunet.golden.table", GoldenOp, True),
    "hardware": ("quantunet.hls.modules", "quantunet.hls.modules.table", Layer, True),
    "plumbing": ("quantunet.hls.modules", "quantunet.hls.modules.table", Plumbing, False),
    "hls4ml": ("quantunet.hls.csim.lower", "quantunet.hls.csim.lower.table", Lowering, True),
}

TABLES = ("quantunet.graph_check", "quantunet.ir")
ROWS = ("quantunet.graph_check", "quantunet.ir.NODE_TYPES")

PROBE = """
import importlib, json, sys
from pathlib import Path
from quantunet import ops

asked, folder, said = json.loads(sys.argv[1]), Path(sys.argv[2]), []
for module in [*(module for _, module, _ in asked["sheets"]), *asked["tables"]]:
    importlib.import_module(module)
complete = ops.OPS
for package, module, members, computes, missing in [
    (package, module, kept, computes, missing)
    for package, module, (members, computes) in asked["sheets"]
    for missing in [None, *members]
    for kept in [[name for name in members if name != missing]]
]:
    ops.OPS = (*complete, ops.Op("probe", "not complete", computes=computes))
    where = folder / str(len(said))
    where.mkdir()
    if missing is not None:
        (where / "probe.py").write_text("".join(f"{name} = None\\n" for name in members))
    path = importlib.import_module(package).__path__
    path.append(str(where))
    importlib.invalidate_caches()
    try:
        importlib.reload(sys.modules[module])
        said.append("it was not refused")
    except ops.RegistryError as error:
        said.append(str(error))
    path.remove(str(where))
    sys.modules.pop(f"{package}.probe", None)
ops.OPS = (*complete, ops.Op("probe", "not complete"))
for module in asked["tables"]:
    try:
        importlib.reload(sys.modules[module])
        said.append("it was not refused")
    except ops.RegistryError as error:
        said.append(str(error))
print(json.dumps(said))
"""


def test_a_probe_op_that_lacks_anything_is_refused_by_name(tmp_path: Path) -> None:
    asked = {
        "sheets": [(package, module, (members(kind), computes)) for package, module, kind, computes in SHEETS.values()],
        "tables": TABLES,
    }
    command = [sys.executable, "-c", PROBE, json.dumps(asked), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = iter(json.loads(done.stdout))
    count = 0
    for package, _, kind, _ in SHEETS.values():
        assert next(said) == f"the op 'probe' has no sheet {package}.probe; see docs/add_an_op.md"
        for member in members(kind):
            refusal = next(said)
            assert refusal.startswith("the sheet of the op 'probe' (") and f") lacks '{member}'; see" in refusal
            count += 1
    assert [*said] == [f"{name} has no row for the op 'probe'; see docs/add_an_op.md" for name in ROWS]
    assert count == 2 + 11 + 8 + 1


def test_a_table_knows_no_other_ops() -> None:
    with pytest.raises(RegistryError, match="'probe', which is no op"):
        table("here", dict.fromkeys([op.stem for op in OPS if op.computes] + ["probe"]))


def test_a_complete_sheet_is_taken() -> None:
    assert list(sheets("quantunet.hls.modules", op_of("conv2d").modules[:1], Layer)) == ["conv2d"]


def test_the_schedule_has_the_rules_that_the_sheets_name() -> None:
    assert len(rules()) > 5
    assert rules() == known_rules()
