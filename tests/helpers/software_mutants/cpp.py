"""Mutants of C++: all of a header in one text, of which a program chooses one at run time.

tree-sitter says where each thing stands. An expression becomes ``choose(17, [&] { return mutant; }, [&] { return
original; })``, a statement ``if (selected == 17) mutant else original``. What has to be known when it is compiled, a
width in a type, is exchanged in a text of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import tree_sitter_cpp
from helpers.software_mutants.mutant import SHORT, Mutant, flat
from tree_sitter import Language, Node, Parser

VARIABLE = "QUN_MUTANT"
"""The environment variable with the number of the mutant that a program chooses."""

ERRORS = "qun_mutant"
"""The file that a compiler's message names where a mutant is wrong; the line is its number."""

HEADER = f"""#ifndef QUN_MUTANTS_H_
#define QUN_MUTANTS_H_
#include <cstdlib>
#include <type_traits>
namespace qun_mutants {{
inline const int selected = std::getenv("{VARIABLE}") ? std::atoi(std::getenv("{VARIABLE}")) : 0;
template <class M, class O> auto choose(int number, M mutant, O original) {{
    typedef std::decay_t<decltype(original())> value_t;
    return number == selected ? static_cast<value_t>(mutant()) : static_cast<value_t>(original());
}}
}} // namespace qun_mutants
#endif
"""

_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "/": ("*",),
    "%": ("+",),
    "<<": (">>",),
    ">>": ("<<",),
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "&&": ("||",),
    "||": ("&&",),
    "+=": ("-=",),
    "-=": ("+=",),
    "*=": ("+=",),
    "++": ("--",),
}
_DROPPED_LEFT = frozenset({"+", "*", "&&", "||"})
_DROPPED_RIGHT = frozenset({"+", "-", "*", "/", "%", "<<", ">>", "&&", "||"})
_PAIRS = [
    ("height", "width"), ("rows", "columns"), ("x", "y"), ("dx", "dy"), ("i", "j"), ("heavy", "light"),
    ("near", "far"), ("low", "high"), ("one", "other"), ("top", "left"), ("reach_x", "reach_y"), ("a", "b"),
]  # fmt: skip
_NAMES: Mapping[str, str] = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
"""Names that stand in for each other."""

_NO_VALUES = frozenset({
    "array_declarator", "parameter_list", "template_parameter_list", "using_declaration", "static_assert_declaration",
    "type_descriptor", "template_declaration_head", "lambda_capture_specifier", "primitive_type", "string_literal",
})  # fmt: skip
"""What holds no value that is computed; an array that is larger computes the same, and a smaller one is no program."""

_COMMENT = re.compile(r"//[^\n]*")
_MACRO = re.compile(rb"PRAGMA_DATA_PACK\(\w+\)")


@dataclass(frozen=True)
class _Site:
    """What stands at a node and what may stand there instead."""

    node: Node
    where: str
    kinds: tuple[tuple[str, str], ...]
    statement: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Mutated:
    """The mutants of a header.

    Attributes:
        file: The header.
        text: What it holds.
        mutants: All of them, by their numbers.
        fixed: The numbers of those that have to be known when they are compiled.
        sites: Where they stand.
    """

    file: str
    text: bytes
    mutants: Mapping[int, Mutant]
    fixed: frozenset[int]
    sites: tuple[tuple[_Site, int], ...] = field(repr=False)

    def schemata(self, left_out: Collection[int] = ()) -> str:
        """Return the header with all mutants that are chosen at run time, but those that do not compile."""
        inner = [(site, number) for site, number in self.sites if not site.fixed]
        return '#include "qun_mutants.h"\n' + _rendered(self.text, inner, frozenset(left_out))

    def alone(self, number: int) -> str:
        """Return the header with one mutant and nothing else."""
        site, first = next(each for each in self.sites if each[1] <= number < each[1] + len(each[0].kinds))
        text = self.text[: site.node.start_byte] + site.kinds[number - first][1].encode()
        return (text + self.text[site.node.end_byte :]).decode()


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_cpp.language()))


def mutate(text: str, file: str) -> Mutated:
    """Return the mutants of a header.

    Raises:
        SyntaxError: It is no C++.
    """
    data = text.encode()
    tree = _parser().parse(_MACRO.sub(lambda found: b" " * len(found[0]), data))
    if tree.root_node.has_error:
        raise SyntaxError(file)
    mutants: dict[int, Mutant] = {}
    sites: list[tuple[_Site, int]] = []
    fixed: set[int] = set()
    seen: Counter[tuple[str, ...]] = Counter()
    names = frozenset(re.findall(r"\w+", text))
    for site in _sites(tree.root_node, "", _constants(tree.root_node), names, inside=False, fixed=False):
        sites.append((site, len(mutants) + 1))
        for kind, text_of in site.kinds:
            original, mutated = _shown(site.node, text_of)
            name = (site.where, kind, original, mutated)
            number, line = len(mutants) + 1, site.node.start_point[0] + 1
            mutants[number] = Mutant(file, number, line, kind, original, mutated, site.where, seen[name])
            seen[name] += 1
            if site.fixed:
                fixed.add(number)
    return Mutated(file, data, mutants, frozenset(fixed), tuple(sites))


def _shown(node: Node, mutated: str) -> tuple[str, str]:
    """Return what stands there and what stands there instead; of a small thing, with what is around it."""
    parent = node.parent
    if node.type in ("number_literal", "identifier", "true", "false") and parent is not None:
        if parent.type == "subscript_argument_list" and parent.parent is not None:
            parent = parent.parent
        if parent.type.endswith("expression") and len(_of(parent)) <= SHORT:
            return flat(_of(parent)), flat(_with(parent, node, mutated))
    return flat(_of(node)), flat(mutated)


def _of(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()


def _constants(root: Node) -> frozenset[str]:
    """Return the names that stand in the arguments of templates: a compiler has to know them."""
    found: set[str] = set()
    waiting = [(root, False)]
    while waiting:
        node, argument = waiting.pop()
        if argument and node.type == "identifier":
            found.add(_of(node))
        waiting += [(each, argument or node.type == "template_argument_list") for each in node.children]
    return frozenset(found)


def _sites(
    node: Node, where: str, constants: frozenset[str], names: frozenset[str], *, inside: bool, fixed: bool
) -> Iterator[_Site]:  # fmt: skip
    """Yield the places of mutants, the outer ones first.

    Args:
        node: Where to look.
        where: The function around it.
        constants: Of :func:`_constants`.
        names: All that the header holds.
        inside: Whether it stands in the body of a function.
        fixed: Whether a compiler has to know it.
    """
    if node.type in _NO_VALUES and not (node.type == "type_descriptor" and fixed):
        return
    if node.type == "function_definition":
        declarator = node.child_by_field_name("declarator")
        while declarator is not None and declarator.child_by_field_name("declarator") is not None:
            declarator = declarator.child_by_field_name("declarator")
        where = _of(declarator)
    if node.type == "declaration" and any(_of(each) == "const" for each in node.children):
        made = {_of(each.child_by_field_name("declarator")) for each in node.children if each.type == "init_declarator"}
        fixed = fixed or bool(made & constants)
    fixed = fixed or node.type == "template_argument_list"
    if inside:
        statement = node.type in ("expression_statement", "continue_statement", "break_statement")
        kinds = tuple(_statement(node) if statement else _expression(node))
        kinds = tuple(each for each in kinds if each[0] != "name" or each[1].rpartition("::")[2] in names)
        if kinds and not (statement and fixed):
            yield _Site(node, where, kinds, statement, fixed)
    for each in node.children:
        yield from _sites(
            each, where, constants, names, inside=inside or node.type == "compound_statement", fixed=fixed
        )


def _with(node: Node, part: Node, text: str) -> str:
    data, start = node.text or b"", node.start_byte
    return (data[: part.start_byte - start] + text.encode() + data[part.end_byte - start :]).decode()


def _statement(node: Node) -> Iterator[tuple[str, str]]:
    yield "statement dropped", ""
    inner = node.children[0]
    operator = inner.child_by_field_name("operator")
    if inner.type == "assignment_expression" and operator is not None:
        for other in _OPERATORS.get(_of(operator), ()):
            yield "operator", _with(node, operator, other)


def _expression(node: Node) -> Iterator[tuple[str, str]]:
    parent = node.parent
    if parent is not None and parent.type == "condition_clause" and node.is_named:
        yield "condition always", "true"
        yield "condition never", "false"
    if node.type in ("binary_expression", "unary_expression", "update_expression"):
        yield from _operation(node)
    elif node.type == "number_literal" and _of(node).isdigit():
        value = int(_of(node))
        yield "constant", str(value + 1)
        yield "constant", str(value - 1) if value else "(-1)"
    elif node.type in ("true", "false"):
        yield "constant", "false" if node.type == "true" else "true"
    elif node.type == "conditional_expression":
        condition, first, second = (
            node.child_by_field_name(each) for each in ("condition", "consequence", "alternative")
        )
        yield "branches swapped", f"{_of(condition)} ? {_of(second)} : {_of(first)}"
        yield "first branch always", _of(first)
        yield "second branch always", _of(second)
    elif node.type == "qualified_identifier" or (node.type == "identifier" and _is_value(node)):
        yield from _named(node)


def _operation(node: Node) -> Iterator[tuple[str, str]]:
    operator = node.child_by_field_name("operator")
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    sign = _of(operator)
    for other in _OPERATORS.get(sign, ()) if operator is not None and node.type != "unary_expression" else ():
        yield "operator", _with(node, operator, other)
    if node.type == "unary_expression" and sign in ("!", "-"):
        yield "operator dropped", _of(node.child_by_field_name("argument"))
    if node.type == "binary_expression":
        if sign in _DROPPED_RIGHT:
            yield "operand dropped", _of(left)
        if sign in _DROPPED_LEFT:
            yield "operand dropped", _of(right)
        if sign in ("-", "/", "%"):
            yield "operands swapped", f"({_of(right)}) {sign} ({_of(left)})"


def _is_value(node: Node) -> bool:
    """Return whether an identifier is read."""
    parent = node.parent
    if parent is None or parent.type in ("init_declarator", "declaration", "function_declarator"):
        return parent is not None and parent.type == "init_declarator" and parent.child_by_field_name("value") == node
    if parent.type == "update_expression":
        return False
    if parent.type == "assignment_expression":
        return parent.child_by_field_name("right") == node
    return parent.type not in (
        "template_function", "qualified_identifier", "reference_declarator", "pointer_declarator", "field_expression",
        "subscript_expression", "call_expression",
    )  # fmt: skip


def _named(node: Node) -> Iterator[tuple[str, str]]:
    text = _of(node)
    scope, separator, name = text.rpartition("::")
    if scope and not scope.startswith("CONFIG_T"):
        return
    if not scope and name in _NAMES:
        yield "name", _NAMES[name]
    elif scope:
        for one, other in (("height", "width"), ("width", "height"), ("rows", "columns"), ("columns", "rows")):
            if re.search(rf"(^|_){one}$", name):
                yield "name", scope + separator + re.sub(rf"{one}$", other, name)
        for one, other in (("in_", "out_"), ("out_", "in_")):
            if name in (f"{one}height", f"{one}width"):
                yield "name", scope + separator + other + name.removeprefix(one)


def _rendered(text: bytes, sites: list[tuple[_Site, int]], left_out: frozenset[int]) -> str:
    """Return a text with its mutants; an outer site holds the inner ones in its original."""

    def render(begin: int, end: int, place: int) -> tuple[str, int]:
        """Return the text from one byte to another, and the place of the next site behind it."""
        made, at = "", begin
        while place < len(sites) and sites[place][0].node.start_byte < end:
            site, first = sites[place]
            start, stop = site.node.start_byte, site.node.end_byte
            same = place
            while same + 1 < len(sites) and _span(sites[same + 1][0]) == (start, stop):
                same += 1  # an expression of which another site says more
            inner, after = render(start, stop, same + 1)
            for each, number in sites[place : same + 1]:
                inner = _chosen(each, number, inner, left_out)
            made += text[at:start].decode() + inner
            at, place = stop, after
        return made + text[at:end].decode(), place

    return render(0, len(text), 0)[0]


def _span(site: _Site) -> tuple[int, int]:
    return site.node.start_byte, site.node.end_byte


def _chosen(site: _Site, first: int, original: str, left_out: frozenset[int]) -> str:
    for number, (_, mutated) in enumerate(site.kinds, first):
        if number in left_out:
            continue
        named, end = f'\n#line {number} "{ERRORS}"\n', '\n#line 1 "original"\n'
        line = " ".join(_COMMENT.sub("", mutated).split())  # the compiler's message has to name the number
        if site.statement:
            original = f"{{ if (::qun_mutants::selected == {number}) {{{named}{line}{end}}} else {{ {original}\n}} }}"
        else:
            call = f"::qun_mutants::choose({number}, [&] {{ return {line}; }},"
            original = f"{named}{call}{end}[&] {{ return {original}\n; }})"
    return original
