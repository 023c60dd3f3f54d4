"""SystemVerilog of an adder graph: a pipeline with a register stage after every few levels of adders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from quantunet.accumulator import bits_for
from quantunet.hls.matrix.constant_graph import AdderGraph, Output, ranges
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Array, QType

LEVELS_PER_STAGE = 2
"""Adders in series between two registers."""

_TEMPLATES = template_environment()


def latency(levels: int, levels_per_stage: int = LEVELS_PER_STAGE) -> int:
    """Return the register stages of a sum: those of its adders, and one for the biases."""
    return -(-levels // levels_per_stage) + 1


@dataclass(frozen=True)
class _Value:
    """One value of the graph as a signal."""

    name: str
    bits: int
    signed: bool
    stage: int  # the register stage that holds it first

    def declared(self, suffix: str = "") -> str:
        """Return its declaration."""
        return f"logic {'signed ' if self.signed else ''}[{self.bits - 1}:0] {self.name}{suffix}"


@dataclass
class _Stage:
    """One register stage and the logic in front of it, as lines of SystemVerilog."""

    wires: list[str] = field(default_factory=list)
    declarations: list[str] = field(default_factory=list)
    assignments: list[str] = field(default_factory=list)


def sums_module(
    name: str,
    graph: AdderGraph,
    bias: Array,
    source: QType,
    sum_bits: int,
    levels: int,
    levels_per_stage: int = LEVELS_PER_STAGE,
) -> str:
    """Return the module that multiplies a vector by constants and adds a bias.

    Args:
        name: Of the module.
        graph: The product.
        bias: int64 ``(outputs,)``.
        source: Type of the inputs.
        sum_bits: Width of an output, signed.
        levels: Levels of adders that the pipeline has room for, at least those of the graph.
        levels_per_stage: Adders in series between two registers.
    """
    return _TEMPLATES.get_template("constant_sums.sv.j2").render(
        name=name,
        graph=graph,
        source=source,
        sum_bits=sum_bits,
        latency=latency(levels, levels_per_stage),
        **_Writer(graph, bias, source, sum_bits, levels_per_stage).write(latency(levels, levels_per_stage)),
    )


class _Writer:
    def __init__(self, graph: AdderGraph, bias: Array, source: QType, sum_bits: int, levels_per_stage: int) -> None:
        self.graph = graph
        self.bias = [int(value) for value in bias]
        self.source = source
        self.sum_bits = sum_bits
        self.values = self._signals(levels_per_stage)
        self.stages: defaultdict[int, _Stage] = defaultdict(_Stage)
        self.made: set[str] = set()

    def _output_bits(self) -> list[int]:
        product = self.graph.evaluate(np.eye(self.graph.inputs, dtype=np.int64)).T
        limits = ranges(product, self.source.qmin, self.source.qmax)
        return [bits_for(low + bias, high + bias) for (low, high), bias in zip(limits, self.bias, strict=True)]

    def _signals(self, levels_per_stage: int) -> list[_Value]:
        """Give every value the bits that it has and that someone reads."""
        graph = self.graph
        limits = ranges(graph.coefficients(), self.source.qmin, self.source.qmax)
        self.output_bits = self._output_bits()
        bits = [bits_for(low, high) - (low >= 0) for low, high in limits]
        needed = [0] * len(bits)
        for output, width in zip(graph.outputs, self.output_bits, strict=True):
            if output.value is not None:
                needed[output.value] = max(needed[output.value], width - output.shift)
        for index in range(len(bits) - 1, graph.inputs - 1, -1):
            bits[index] = max(min(bits[index], needed[index]), 1)
            adder = graph.adders[index - graph.inputs]
            for operand, shift in ((adder.left, adder.left_shift), (adder.right, adder.right_shift)):
                needed[operand] = max(needed[operand], bits[index] - shift)
        levels = graph.levels()
        return [
            _Value(
                f"{'x' if index < graph.inputs else 'v'}{index}",
                bits[index],
                limits[index][0] < 0,
                -(-levels[index] // levels_per_stage),
            )
            for index in range(len(bits))
        ]

    def write(self, last: int) -> dict[str, object]:
        """Return what the template shows: the inputs, the stages, and the widths of the outputs."""
        graph = self.graph
        for index, adder in enumerate(graph.adders, start=graph.inputs):
            value = self.values[index]
            left, right = self.values[adder.left], self.values[adder.right]
            expression = _sum(
                value.bits,
                (self._seen(left, value.stage), adder.left_shift),
                (self._seen(right, value.stage), adder.right_shift),
                subtract=adder.subtract,
            )
            self.stages[value.stage].wires.append(f"{value.declared()} = {expression};")
        stage = self.stages[last]
        for index, (output, bias, bits) in enumerate(zip(graph.outputs, self.bias, self.output_bits, strict=True)):
            stage.declarations.append(f"logic signed [{bits - 1}:0] y{index}_q;")
            stage.assignments.append(f"y{index}_q <= {self._biased(output, bias, bits, last - 1)};")
        return {
            "stages": [self.stages[number] for number in range(1, last + 1)],
            "outputs": self.output_bits,
            "values": self.values[: graph.inputs],
        }

    def _biased(self, output: Output, bias: int, bits: int, stage: int) -> str:
        constant = f"{bits}'h{bias & ((1 << bits) - 1):x}"
        if output.value is None:
            return constant
        term = f"{bits}'({self._delayed(self.values[output.value], stage)})"
        if output.shift:
            term = f"({term} << {output.shift})"
        return f"{constant} {'-' if output.negative else '+'} {term}"

    def _seen(self, operand: _Value, stage: int) -> str:
        """Return the name under which the logic in front of a stage sees a value: a wire of its own, or a register."""
        return operand.name if operand.stage == stage else self._delayed(operand, stage - 1)

    def _delayed(self, value: _Value, stage: int) -> str:
        """Return the name of a value in the registers of a stage, and make the registers up to there."""
        before = value.name
        for number in range(max(value.stage, 1), stage + 1):
            name = f"{value.name}_q{number}"
            if name not in self.made:
                self.made.add(name)
                self.stages[number].declarations.append(f"{value.declared(f'_q{number}')};")
                self.stages[number].assignments.append(f"{name} <= {before};")
            before = name
        return before


def _sum(bits: int, left: tuple[str, int], right: tuple[str, int], *, subtract: bool) -> str:
    """Return the sum of two shifted signals; the bits below a shifted one pass without an adder where they can."""
    (left_name, left_shift), (right_name, right_shift) = left, right
    sign = "-" if subtract else "+"
    if left_shift and subtract:
        return f"({bits}'({left_name}) << {left_shift}) - {bits}'({right_name})"
    if left_shift:
        return _sum(bits, right, left, subtract=False)
    if not right_shift:
        return f"{bits}'({left_name}) {sign} {bits}'({right_name})"
    if right_shift >= bits:
        return f"{bits}'({left_name})"
    above = bits - right_shift
    return f"{{{above}'({left_name} >>> {right_shift}) {sign} {above}'({right_name}), {right_shift}'({left_name})}}"
