"""Mutants of Python: one node of the syntax tree exchanged, operator by operator.

Nothing is made of what computes nothing: annotations, decorators, texts, what is raised and what it says.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.software_mutants.mutant import SHORT, Mutant, flat

Change = tuple[str, ast.AST | None]
"""What kind of mutant it is, and what takes the place of the node; nothing where a statement is dropped."""

_ARITHMETIC: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,),
    ast.Div: (ast.Mult,),
    ast.Mod: (ast.Add,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr, ast.BitXor),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
    ast.BitXor: (ast.BitOr,),
}
_COMPARED: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_NAMES: Mapping[str, str] = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "ceil": "floor",
    "rint": "floor",
    "floor": "ceil",
    "float32": "float64",
    "float64": "float32",
    "qmin": "qmax",
    "qmax": "qmin",
    "start": "stop",
    "stop": "start",
}
"""Functions and attributes that stand in for each other."""

_EITHER_ORDER = frozenset({"min", "max", "minimum", "maximum", "gcd"})

_TEXTS: Mapping[str, str] = {"clip": "wrap"}
"""Texts that choose what is computed."""


@dataclass(frozen=True)
class _Place:
    """Where a node stands: an attribute of its parent, or an item of one."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: Any) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class _Site:
    place: _Place
    node: ast.AST
    where: str
    around: tuple[ast.expr, ...] = ()

    def shown(self, changed: ast.AST | None) -> tuple[str, str]:
        """Return what stands there and what stands there instead; of a small thing, with what is around it."""
        if changed is not None and isinstance(self.node, ast.Constant | ast.Name | ast.Attribute):
            for each in self.around:
                original = ast.unparse(each)
                self.place.put(changed)
                mutated = ast.unparse(each)
                self.place.put(self.node)
                if len(original) <= SHORT and not isinstance(each, ast.UnaryOp | ast.Tuple | ast.Slice):
                    return original, mutated
        return flat(ast.unparse(self.node)), "" if changed is None else flat(ast.unparse(changed))


def mutants(text: str, file: str) -> list[Mutant]:
    """Return all mutants of a source."""
    found: list[Mutant] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for site, kind, changed in _changes(ast.parse(text)):
        original, mutated = site.shown(changed)
        name = (site.where, kind, original, mutated)
        line = getattr(site.node, "lineno", 0)
        found.append(Mutant(file, len(found) + 1, line, kind, original, mutated, site.where, seen[name]))
        seen[name] += 1
    return found


def mutated(text: str, number: int) -> ast.Module:
    """Return the syntax tree of a source with one mutant in it."""
    tree = ast.parse(text)
    site, _, changed = next(each for count, each in enumerate(_changes(tree), 1) if count == number)
    site.place.put(changed if changed is not None else ast.Pass())
    return ast.fix_missing_locations(tree)


def _changes(tree: ast.Module) -> Iterator[tuple[_Site, str, ast.AST | None]]:
    for site in _sites(tree, "module"):
        for kind, changed in _of(site):
            if changed is not None:
                ast.copy_location(changed, site.node)
            yield site, kind, changed


_LEFT: Mapping[type[ast.AST], Sequence[str]] = {
    ast.FunctionDef: ("decorator_list", "returns"),
    ast.ClassDef: ("decorator_list", "bases", "keywords"),
    ast.arg: ("annotation",),
    ast.AnnAssign: ("annotation", "target"),
    ast.Assign: ("targets",),
}
"""Parts of nodes of which no mutant is made."""


def _sites(parent: ast.AST, where: str, around: tuple[ast.expr, ...] = ()) -> Iterator[_Site]:
    if isinstance(parent, ast.expr):
        around = (parent, *around)
    for field, value in ast.iter_fields(parent):
        if field in _LEFT.get(type(parent), ()):
            continue
        items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, node in items:
            if not isinstance(node, ast.AST) or isinstance(node, ast.Raise | ast.Import | ast.ImportFrom):
                continue
            if isinstance(node, ast.Assign) and where == "module" and _names_a_type(node.value):
                continue
            named = isinstance(node, ast.FunctionDef | ast.ClassDef)
            inside = f"{where}.{node.name}".removeprefix("module.") if named else where  # type: ignore[attr-defined]
            yield _Site(_Place(parent, field, index), node, inside, around)
            yield from _sites(node, inside, () if named else around)
            if isinstance(node, ast.Assign):  # of what is written to, the part of an array
                for target in node.targets:
                    if isinstance(target, ast.Subscript):
                        yield from _sites(target, inside)


def _names_a_type(value: ast.expr) -> bool:
    return isinstance(value, ast.Subscript) or (isinstance(value, ast.Call) and _called(value) == "TypeVar")


def _of(site: _Site) -> Iterator[Change]:
    if isinstance(site.place.parent, ast.If | ast.While) and site.place.field == "test":
        yield from _condition(site)
    for kind, rule in _RULES.items():
        if isinstance(site.node, kind):
            yield from rule(site)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy of a node with some fields exchanged."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _binary(site: _Site) -> Iterator[Change]:
    node = site.node
    for other in _ARITHMETIC.get(type(node.op), ()):
        yield "operator", _with(node, op=other())
    if isinstance(
        node.op, ast.Add | ast.Sub | ast.Mult | ast.LShift | ast.RShift | ast.Mod | ast.FloorDiv | ast.BitAnd
    ):
        yield "operand dropped", node.left
    if isinstance(node.op, ast.Add | ast.Mult):
        yield "operand dropped", node.right
    if isinstance(node.op, ast.Sub | ast.FloorDiv):
        yield "operands swapped", _with(node, left=node.right, right=node.left)


def _compare(site: _Site) -> Iterator[Change]:
    node = site.node
    for place, operator in enumerate(node.ops):
        for other in _COMPARED[type(operator)]:
            yield "operator", _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def _boolean(site: _Site) -> Iterator[Change]:
    node = site.node
    yield "operator", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for place in range(len(node.values)):
        rest = [*node.values[:place], *node.values[place + 1 :]]
        yield "operand dropped", rest[0] if len(rest) == 1 else _with(node, values=rest)


def _unary(site: _Site) -> Iterator[Change]:
    if not (isinstance(site.node.op, ast.USub) and isinstance(site.node.operand, ast.Constant)):
        yield "operator dropped", site.node.operand


def _constant(site: _Site) -> Iterator[Change]:
    value = site.node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield "constant", ast.Constant(value + 1)
        yield "constant", ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str) and value in _TEXTS:
        yield "constant", ast.Constant(_TEXTS[value])


def _choice(site: _Site) -> Iterator[Change]:
    node = site.node
    yield "branches swapped", _with(node, body=node.orelse, orelse=node.body)
    yield "first branch always", node.body
    yield "second branch always", node.orelse


def _condition(site: _Site) -> Iterator[Change]:
    if isinstance(site.place.parent, ast.If):  # a loop would not end
        yield "condition always", ast.Constant(True)
    yield "condition never", ast.Constant(False)


def _for(site: _Site) -> Iterator[Change]:
    yield "loop dropped", _with(site.node, iter=ast.Tuple([], ast.Load()))


def _comprehension(site: _Site) -> Iterator[Change]:
    for place in range(len(site.node.ifs)):
        yield "condition always", _with(site.node, ifs=[*site.node.ifs[:place], *site.node.ifs[place + 1 :]])


def _call(site: _Site) -> Iterator[Change]:
    node = site.node
    for place, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield "argument dropped", _with(node, keywords=[*node.keywords[:place], *node.keywords[place + 1 :]])
    if len(node.args) > 1 and not any(isinstance(each, ast.Starred) for each in node.args):
        yield "argument dropped", _with(node, args=node.args[:-1])
    if len(node.args) == 2 and ast.dump(node.args[0]) != ast.dump(node.args[1]) and _called(node) not in _EITHER_ORDER:
        yield "arguments swapped", _with(node, args=node.args[::-1])
    method = isinstance(node.func, ast.Attribute) and not _is_module(node.func.value)
    if method:
        yield "call dropped", node.func.value
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield "call dropped", node.args[0]


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_module(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("np", "math", "npt", "os", "threading", "dataclasses", "golden")


def _attribute(site: _Site) -> Iterator[Change]:
    if isinstance(site.node.ctx, ast.Load) and site.node.attr in _NAMES:
        yield "name", _with(site.node, attr=_NAMES[site.node.attr])


def _name(site: _Site) -> Iterator[Change]:
    called = isinstance(site.place.parent, ast.Call) and site.place.field == "func"
    if called and site.node.id in _NAMES:
        yield "name", _with(site.node, id=_NAMES[site.node.id])


def _slice(site: _Site) -> Iterator[Change]:
    for bound in ("lower", "upper", "step"):
        if getattr(site.node, bound) is not None:
            yield "bound dropped", _with(site.node, **{bound: None})


def _expression(site: _Site) -> Iterator[Change]:
    if isinstance(site.node.value, ast.Call):
        yield "statement dropped", None


def _augmented(site: _Site) -> Iterator[Change]:
    for other in _ARITHMETIC.get(type(site.node.op), ()):
        yield "operator", _with(site.node, op=other())
    yield "statement dropped", None


def _assigned(site: _Site) -> Iterator[Change]:
    if any(isinstance(each, ast.Subscript) for each in site.node.targets):
        yield "statement dropped", None


_RULES: Mapping[type[ast.AST], Callable[[Any], Iterator[Change]]] = {
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.IfExp: _choice,
    ast.For: _for,
    ast.comprehension: _comprehension,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Name: _name,
    ast.Slice: _slice,
    ast.Expr: _expression,
    ast.AugAssign: _augmented,
    ast.Assign: _assigned,
}
"""What each kind of node becomes."""
