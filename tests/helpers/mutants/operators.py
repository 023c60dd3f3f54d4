"""The operators of mutation: what an expression, a condition or an assignment of SystemVerilog is replaced by."""

from __future__ import annotations

import re
from collections.abc import Iterator

from helpers.mutants.library import Module
from helpers.mutants.tree import Node

Change = tuple[str, str]
"""What kind of mutant it is, and the text that stands in place of the node's."""

SWAPS: dict[str, tuple[str, ...]] = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "/": ("*",),
    "%": ("+",),
    "<<": (">>",),
    ">>": ("<<",),
    "<<<": (">>>",),
    ">>>": (">>", "<<<"),
    "==": ("!=", ">=", "<="),
    "!=": ("==", "<", ">"),
    "<": ("<=", ">=", "!="),
    "<=": ("<", ">", "=="),
    ">": (">=", "<=", "!="),
    ">=": (">", "<", "=="),
    "&&": ("||",),
    "||": ("&&",),
    "&": ("|", "^"),
    "|": ("&", "^"),
    "^": ("|", "~^"),
}
"""Binary operators, and those that take their places."""

_PREFIXES = {"!": "", "~": "", "-": "", "&": "|", "|": "&", "^": "&"}
_BASED = re.compile(r"(\d*)'(s?)([bdho])([0-9a-fA-F_]+)")
_RADIX = {"b": 2, "o": 8, "d": 10, "h": 16}
_COMMENT = re.compile(r"//[^\n]*")
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def flat(text: str) -> str:
    """Return code on one line, without its comments."""
    return " ".join(_COMMENT.sub("", text).split())


def root(node: Node) -> Node:
    """Return what an expression is, without the nodes and brackets that hold nothing but it."""
    while node.tag in ("kExpression", "kParenGroup"):
        inner = [each for each in node.children if each.tag not in ("(", ")")]
        if len(inner) != 1:
            break
        node = inner[0]
    return node


def is_constant(node: Node) -> bool:
    """Return whether an expression is a literal."""
    return root(node).tag in ("kNumber", "TK_UnBasedNumber", "TK_StringLiteral")


def changes(module: Module, node: Node) -> Iterator[Change]:
    """Yield the mutants of one node of an expression, those of its parts not among them."""
    if node.tag == "kBinaryExpression":
        yield from _binary(module, node)
    elif node.tag == "kUnaryPrefixExpression":
        prefix = module.of(node.children[0])
        if prefix in _PREFIXES:
            yield "unary operator", _PREFIXES[prefix] + module.of(node.children[1])
    elif node.tag == "kConditionExpression":
        condition, first, second = (module.of(node.children[place]) for place in (0, 2, 4))
        yield "branches swapped", f"{condition} ? {second} : {first}"
        yield "first branch always", first
        yield "second branch always", second
    elif node.tag in ("kNumber", "TK_UnBasedNumber"):
        yield from ((("constant"), text) for text in _numbers(module.of(node)))
    elif node.tag == "kConcatenationExpression":
        yield from _concatenation(module, node)


def _binary(module: Module, node: Node) -> Iterator[Change]:
    for place in range(1, len(node.children), 2):
        operator = node.children[place]
        for other in SWAPS.get(module.of(operator), ()):
            yield "operator", _with(module, node, place, other)
        if module.of(operator) in ("-", "<<", ">>", ">>>", "<", ">") and len(node.children) == 3:
            first, second = node.children[0], node.children[2]
            if module.of(operator) == "-":
                yield "operands swapped", f"{module.of(second)} - ({module.of(first)})"
    if module.of(node.children[1]) in ("&&", "||"):
        neutral = "1'b1" if module.of(node.children[1]) == "&&" else "1'b0"
        for place in range(0, len(node.children), 2):
            operand = node.children[place]
            yield "operand dropped", _with(module, node, place, neutral)
            if not _negated(module, operand):
                yield "operand negated", _with(module, node, place, f"!({module.of(operand)})")


def _negated(module: Module, node: Node) -> bool:
    """Return whether a mutant of the node itself is its negation."""
    found = root(node)
    if found.tag == "kUnaryPrefixExpression":
        return module.of(found.children[0]) == "!"
    return found.tag == "kBinaryExpression" and module.of(found.children[1]) in ("==", "!=")


def _with(module: Module, node: Node, place: int, text: str) -> str:
    """Return the text of a node with one child replaced."""
    child = node.children[place]
    return module.text[node.start : child.start] + text + module.text[child.end : node.end]


def _numbers(text: str) -> Iterator[str]:
    if text in ("'0", "'1"):
        yield "'1" if text == "'0" else "'0"
    elif text.isdigit():
        yield str(int(text) + 1)
        if int(text) > 0:
            yield str(int(text) - 1)
    elif found := _BASED.fullmatch(text):
        size, signed, base, digits = found.groups()
        value, limit = int(digits.replace("_", ""), _RADIX[base]), 1 << int(size or 32)
        for other in sorted({(value + 1) % limit, (value - 1) % limit}):
            yield f"{size}'{signed}{base}" + format(other, {"b": "b", "o": "o", "d": "d", "h": "x"}[base])


def _concatenation(module: Module, node: Node) -> Iterator[Change]:
    items = next((each for each in node.children if each.tag in ("kOpenRangeList", "kExpressionList")), None)
    operands = [each for each in items.children if each.tag == "kExpression"] if items else []
    for first, second in zip(operands, operands[1:], strict=False):
        one, other = module.of(first), module.of(second)
        if one != other:
            middle = module.text[first.end : second.start]
            yield (
                "operands swapped",
                (module.text[node.start : first.start] + other + middle + one + module.text[second.end : node.end]),
            )


def condition(module: Module, node: Node) -> Iterator[Change]:
    """Yield the mutants of a whole condition."""
    yield "condition always", "1'b1"
    yield "condition never", "1'b0"
    if not _negated(module, node):
        yield "condition negated", f"!({module.of(node)})"


def value(module: Module, node: Node, *, bit: bool) -> Iterator[Change]:
    """Yield the mutants of a whole value that is assigned, of any type: what they are made of has its width and sign.

    Args:
        module: Where it stands.
        node: The expression.
        bit: Whether it has one bit.
    """
    if is_constant(node):
        return
    text = f"({module.of(node)})"
    yield "stuck at zero", f"{text} ^ {text}"
    if bit:
        yield "stuck at one", f"~({text} ^ {text})"
        if not _negated(module, node):
            yield "inverted", f"~{text}"
        return
    yield "stuck at ones", f"~({text} ^ {text})"
    inner = root(node)
    if inner.tag != "kBinaryExpression" or module.of(inner.children[1]) not in ("+", "-"):
        yield "one more", f"{text} - ~({text} ^ {text})"
        yield "one less", f"{text} + ~({text} ^ {text})"
