"""All mutants of a module in one copy of it, of which a simulation chooses one.

What is mutated becomes ``(qun_mutant_pkg::selected == K ? mutant : original)``, so that a bench is compiled once. With
no mutant selected the copy computes what the module does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from helpers.mutants import operators
from helpers.mutants.library import CONSTANT, Library, Module, function_name
from helpers.mutants.operators import Change, flat
from helpers.mutants.tree import Node

PACKAGE = "qun_mutant_pkg"
SELECTED = f"{PACKAGE}::selected"
PACKAGE_TEXT = f"package {PACKAGE};\n  int selected;\nendpackage\n"

_LEFT_ALONE = CONSTANT | {
    "kMacroCall",
    "kForSpec",
    "kWhileLoopStatement",
    "kInitialStatement",
    "kLPValue",
    "kEventControl",
    "kFunctionHeader",
    "kModuleHeader",
    "kGenerateIfHeader",
    "kPreprocessorInclude",
}


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        number: What selects it, from 1 on.
        module: The module.
        line: Where it stands.
        column: Likewise, from 1 on.
        kind: What is done.
        original: What stands there.
        mutated: What stands there instead.
        lines: First and last line of the statement around it, by which a compiler's message is told to concern it.
        statement: The statement around it, on one line.
    """

    number: int
    module: str
    line: int
    column: int
    kind: str
    original: str
    mutated: str
    lines: tuple[int, int]
    statement: str

    @property
    def key(self) -> str:
        """What names it as long as its line does not change."""
        return f"{self.module}:{self.line}:{self.column} {self.kind}: {self.original} -> {self.mutated}"


@dataclass(frozen=True)
class Mutated:
    """A module with all its mutants."""

    module: str
    text: str
    mutants: tuple[Mutant, ...]


def mutate(library: Library, name: str, left_out: Collection[str] = ()) -> Mutated:
    """Return a module with all its mutants.

    Args:
        library: The library.
        name: The module.
        left_out: Keys of mutants that do not compile. The others keep their numbers.
    """
    writer = _Writer(library, library.modules[name], frozenset(left_out))
    text = writer.text(writer.module.tree)
    module = writer.module
    return Mutated(name, module.text[: module.tree.start] + text + module.text[module.tree.end :], tuple(writer.found))


@dataclass
class _Writer:
    library: Library
    module: Module
    left_out: frozenset[str]
    found: list[Mutant] = field(default_factory=list)
    numbered: int = 0
    in_function: bool = False
    in_register: bool = False
    in_process: bool = False
    statement: Node | None = None

    def text(self, node: Node) -> str:
        """Return the text of something that is no expression."""
        if node.tag in _LEFT_ALONE or any(begin <= node.start < end for begin, end in self.module.skipped):
            return self.module.of(node)
        special = getattr(self, f"_{node.tag}", None)
        return special(node) if special else self._copy(node)

    def _copy(self, node: Node) -> str:
        return self._joined(node, {place: self.text(each) for place, each in enumerate(node.children) if each.children})

    def _joined(self, node: Node, parts: dict[int, str]) -> str:
        """Return the text of a node with the texts of some children replaced."""
        written, end = [], node.start
        for place, each in enumerate(node.children):
            written += [self.module.text[end : each.start], parts.get(place, self.module.of(each))]
            end = each.end
        return "".join(written) + self.module.text[end : node.end]

    # Statements and items

    def _kFunctionDeclaration(self, node: Node) -> str:
        if function_name(self.module, node) in self.library.constant_functions:
            return self.module.of(node)
        self.in_function = True
        text = self._copy(node)
        self.in_function = False
        return text

    def _kAlwaysStatement(self, node: Node) -> str:
        self.in_register, self.in_process = node.children[0].tag == "always_ff", True
        text = self._copy(node)
        self.in_register = self.in_process = False
        return text

    def _kNonblockingAssignmentStatement(self, node: Node) -> str:
        return self._assignment(node)

    def _kNetVariableAssignment(self, node: Node) -> str:
        return self._assignment(node)

    def _kAssignModifyStatement(self, node: Node) -> str:
        return self._assignment(node)

    def _assignment(self, node: Node) -> str:
        self.statement = node
        target = next(each for each in node.children if each.tag == "kLPValue")
        if self.module.of(target).startswith("unused"):
            return self.module.of(node)
        place = max(index for index, each in enumerate(node.children) if each.tag == "kExpression")
        right = node.children[place]
        pattern = operators.root(right).tag == "kAssignmentPattern"
        whole = [] if pattern else list(operators.value(self.module, right, bit=self._is_bit(target)))
        text = self._joined(node, {place: self._expression(right, whole)})
        statement = self.in_register or self.in_function
        return self._droppable(node, text) if statement else text

    def _kStatement(self, node: Node) -> str:
        self.statement = node
        return self._droppable(node, self._joined(node, {0: self._expression(node.children[0], [])}))

    def _droppable(self, node: Node, text: str) -> str:
        number = self._new(node, "statement dropped", "")
        return text if number is None else f"begin if ({SELECTED} != {number}) {text} end"

    def _kTrailingAssign(self, node: Node) -> str:
        if not (self.in_function or self.in_process):  # a constant, or a value to start with
            return self.module.of(node)
        self.statement = node
        place = node.tags.index("kExpression")
        right = node.children[place]
        return self._joined(
            node, {place: self._expression(right, list(operators.value(self.module, right, bit=False)))}
        )

    def _kIfHeader(self, node: Node) -> str:
        return self._condition(node)

    def _condition(self, node: Node) -> str:
        self.statement = node
        place = node.tags.index("kParenGroup")
        group = node.children[place]
        inner = group.tags.index("kExpression")
        condition = group.children[inner]
        text = self._expression(condition, list(operators.condition(self.module, condition)))
        return self._joined(node, {place: self._joined(group, {inner: text})})

    def _kJumpStatement(self, node: Node) -> str:
        if "kExpression" not in node.tags:
            return self.module.of(node)
        self.statement = node
        place = node.tags.index("kExpression")
        right = node.children[place]
        return self._joined(
            node, {place: self._expression(right, list(operators.value(self.module, right, bit=False)))}
        )

    def _kCaseStatement(self, node: Node) -> str:
        parts = {}
        for place, each in enumerate(node.children):
            if each.tag == "kParenGroup":
                self.statement = each
                inner = each.tags.index("kExpression")
                selector = each.children[inner]
                parts[place] = self._joined(each, {inner: self._expression(selector, [])})
            elif each.children:
                parts[place] = self.text(each)
        return self._joined(node, parts)

    def _kCaseItem(self, node: Node) -> str:
        parts = {
            place: self.text(each)
            for place, each in enumerate(node.children)
            if each.tag != "kExpressionList" and each.children
        }
        return self._joined(node, parts)

    def _kDataDeclaration(self, node: Node) -> str:
        kind = next(each for each in node.walk() if each.tag == "kInstantiationType")
        instances = [each for each in node.walk() if each.tag == "kGateInstance"]
        if not instances:
            return self._copy(node)
        name = self.module.text[kind.start : kind.end].split("#")[0].split()[0]
        target = self.library.modules.get(name)
        (instance,) = instances
        written = self.module.text[node.start : instance.start]
        end = instance.start
        for port in (each for each in instance.walk() if each.tag == "kActualNamedPort"):
            group, label = port.child("kParenGroup"), port.child("SymbolIdentifier")
            expression = group and group.child("kExpression")
            if expression is None or label is None or target is None or self.module.of(label) not in target.inputs:
                continue
            if self.module.of(label) in ("clk", "rst_n"):
                continue
            self.statement = port
            bit = target.dimensions.get(self.module.of(label)) == 0
            whole = list(operators.value(self.module, expression, bit=bit))
            written += self.module.text[end : expression.start] + self._expression(expression, whole)
            end = expression.end
        return written + self.module.text[end : node.end]

    # Expressions

    def _expression(self, node: Node, whole: list[Change]) -> str:
        """Return an expression with all its mutants; `whole` are some of it as a whole."""
        changes = [*whole, *operators.changes(self.module, node)]
        chosen = [(number, text) for kind, text in changes if (number := self._new(node, kind, text)) is not None]
        original = self._parts(node)
        if not chosen:
            return original
        select = "".join(f"{SELECTED} == {number} ? ({flat(text)}) : " for number, text in chosen)
        return f"({select}({original}))"

    def _parts(self, node: Node) -> str:
        parts = {}
        for place, each in enumerate(node.children):
            if each.tag in ("kDimensionRange", "kQualifiedId", "kUnqualifiedId", "kHierarchyExtension"):
                continue
            if each.tag == "kDimensionSlice":
                base = each.tags.index("kExpression")
                parts[place] = self._joined(each, {base: self._expression(each.children[base], [])})
            elif node.tag == "kCast" and each is not node.children[-1]:  # the type, or how many bits
                continue
            elif node.tag == "kSystemTFCall" and self.module.of(node.children[0]) not in ("$signed", "$unsigned"):
                continue
            elif "kConcatenationExpression" in node.tags and node.tags[0] == "{":
                if each.tag == "kConcatenationExpression":  # what is repeated, and not how often
                    parts[place] = self._parts(each)
            elif each.children and each.tag != "kBaseDigits":
                parts[place] = self._expression(each, [])
        return self._joined(node, parts)

    def _is_bit(self, target: Node) -> bool:
        names = [each for each in target.walk() if each.tag == "SymbolIdentifier"]
        dimensions = self.module.dimensions.get(self.module.of(names[0]))
        if dimensions is None or any(each.tag == "kHierarchyExtension" for each in target.walk()):
            return False
        indices = [each.tag for each in target.walk() if each.tag.startswith("kDimension")]
        return dimensions == len(indices) and all(tag == "kDimensionScalar" for tag in indices)

    def _new(self, node: Node, kind: str, text: str) -> int | None:
        self.numbered += 1
        before = self.module.text[: node.start]
        around = self.statement or node
        lines = (self._line(around.start), self._line(around.end))
        column = node.start - (before.rfind("\n") + 1) + 1
        mutant = Mutant(
            self.numbered,
            self.module.name,
            self._line(node.start),
            column,
            kind,
            flat(self.module.of(node)),
            flat(text),
            lines,
            flat(self.module.of(around)),
        )
        if mutant.key in self.left_out:
            return None
        self.found.append(mutant)
        return mutant.number

    def _line(self, offset: int) -> int:
        return self.module.text.count("\n", 0, offset) + 1


def lines_of(mutants: Collection[Mutant], line: int) -> Iterator[Mutant]:
    """Yield the mutants whose statement holds a line."""
    return (each for each in mutants if each.lines[0] <= line <= each.lines[1])
