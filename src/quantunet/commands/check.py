"""``quantunet check``: what becomes of each op of a network, and everything that stands in its way, at once."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.table import Table

from quantunet import exit_codes, graph_file, qonnx_import, tables
from quantunet.commands._parser import Parser
from quantunet.errors import QuantUNetError, StorageError, TypeMismatchError
from quantunet.ir import Graph, MatrixNode, Node, QType
from quantunet.qonnx_import import Finding
from quantunet.storage import write_text
from quantunet.zoo import GRAPH_SUFFIX, QONNX_SUFFIX, load_network, network_path


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "check", help="say what becomes of each op of a network, and all that stands in its way", description=__doc__
    )
    parser.add_model()
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.add_argument(
        "--input-type",
        metavar="TYPE",
        help="the type of an input that has no quantizer in the file: s16.10 is signed, of 16 bits, 10 of them behind "
        "the point, u8.8 the byte of a picture as a value below 1",
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the network as integers (*.json), for every other command"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; exit code 2 if there is an obstacle."""
    findings, graph = examined(args.model, _input_type(args.input_type))
    if args.write is not None and args.write.suffix.lower() != GRAPH_SUFFIX:
        raise StorageError(str(args.write), expected=f"a name that ends with {GRAPH_SUFFIX}", got=args.write.name)
    if args.write is not None and graph is not None:
        write_text(args.write, graph_file.to_json(graph))
    obstacles = [each for each in findings if each.obstacle is not None]
    if args.json:
        rows = [_row(each, graph) for each in findings]
        print(json.dumps({"taken": graph is not None, "ops": rows}, indent=1))
    else:
        _print(findings, graph)
        print(_summary(args.model, findings, graph))
    return exit_codes.BAD_INPUT if obstacles or graph is None else exit_codes.SUCCESS


def _input_type(text: str | None) -> QType | None:
    try:
        return None if text is None else QType.parse(text)
    except ValueError as error:
        raise TypeMismatchError("--input-type", expected="a type", got=str(error)) from error


def examined(model: str, input_type: QType | None = None) -> tuple[tuple[Finding, ...], Graph | None]:
    """Return what becomes of each op of a network; a file of another kind than ONNX has its layers as ops.

    Args:
        model: As for :func:`quantunet.zoo.load_network`.
        input_type: The type of an input that has no quantizer in the file.

    Raises:
        QuantUNetError: The file as a whole cannot be read.
    """
    path = network_path(model)
    if path.suffix.lower() == QONNX_SUFFIX:
        found = qonnx_import.examine(path, input_type)
        return found.findings, found.graph
    graph = load_network(model)
    return tuple(Finding(node.name, node.op, layers=(node,)) for node in graph.nodes), graph


def described(node: Node, graph: Graph) -> str:
    """Return a layer in words: its op, geometry, sizes and types."""
    source, target = graph.input_of(node), graph.output_of(node)
    kernel = ""
    if isinstance(node, MatrixNode):
        kernel = f" {node.weight.shape[0]}x{node.weight.shape[1]}, weights {node.weight_type.bits} bits"
    sizes = "x".join(map(str, source.shape)) + " to " + "x".join(map(str, target.shape))
    return f"{node.op}{kernel}: {sizes}, {source.qtype} to {target.qtype}"


def _verdict(finding: Finding, graph: Graph | None) -> tuple[str, str]:
    if finding.obstacle is not None:
        return "obstacle", str(finding.obstacle)
    if not finding.reached:
        return "not reached", "its kind is taken; what it reads is behind an obstacle"
    if finding.layers and graph is not None:
        return "taken", "; ".join(described(node, graph) for node in finding.layers)
    return "taken", "" if graph is None else "a part of the layers around it"


def _row(finding: Finding, graph: Graph | None) -> dict[str, Any]:
    verdict, text = _verdict(finding, graph)
    error = finding.obstacle
    return {
        "name": finding.name,
        "op": finding.kind,
        "verdict": verdict,
        "layers": [described(node, graph) for node in finding.layers] if graph is not None else [],
        "text": text,
        "hint": error.hint if isinstance(error, QuantUNetError) else "",
    }


def _print(findings: tuple[Finding, ...], graph: Graph | None) -> None:
    table = Table("op", "name", "verdict", "what becomes of it, or what to do")
    colours = {"taken": "green", "obstacle": "red", "not reached": "yellow"}
    for each in findings:
        verdict, text = _verdict(each, graph)
        table.add_row(each.kind, each.name, f"[{colours[verdict]}]{verdict}[/]", text.replace("[", "\\["))
    tables.show(tables.output(), table)


def _summary(model: str, findings: tuple[Finding, ...], graph: Graph | None) -> str:
    obstacles = sum(each.obstacle is not None for each in findings)
    hidden = sum(not each.reached for each in findings)
    name = Path(model).name
    if graph is not None and not obstacles:
        return f"{name}: taken, {_counted(len(findings), 'op')} as {_counted(len(graph.nodes), 'layer')}"
    more = f", and {_counted(hidden, 'op')} behind them not reached" if hidden else ""
    return f"{name}: not taken, {_counted(obstacles, 'obstacle')} in {_counted(len(findings), 'op')}{more}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
