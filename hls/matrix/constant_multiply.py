"""Multiplication by constants: da4ml finds an adder graph, which is held against the weights before anyone uses it."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import logging
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from quantunet import cache, processes
from quantunet.errors import StorageError, ToolFailedError, ToolMissingError
from quantunet.hls.matrix.constant_graph import Adder, AdderGraph, Output, prune
from quantunet.ir import Array, IntArray, QType

logger = logging.getLogger(__name__)

_FORMAT = "quantunet-adder-graph-2"
_LONG = 1.0  # seconds; a graph that took longer is kept
_LARGE = 1000  # weights; what has more takes a second or longer, and is searched for by a process of its own
_RANDOM_VECTORS = 64

Term = tuple[int, int, int]  # a value of the graph, the exponent of 2 that it is multiplied by, and its sign


def adder_levels(matrix: Array) -> int:
    """Return the adders in series that the product needs: a balanced tree over the signed digits of the worst column.

    Args:
        matrix: int64 ``(inputs, outputs)``.
    """
    digits = signed_digits(matrix).sum(axis=0)
    return max(int(digits.max(initial=1)) - 1, 0).bit_length()


def signed_digits(values: Array) -> Array:
    """Return the digits that are not zero in the canonical signed-digit form of integers."""
    magnitude = np.abs(values)
    digits = (3 * magnitude) ^ magnitude
    counts: Array = np.sum([(digits >> bit) & 1 for bit in range(64)], axis=0)
    return counts


def adder_graph(matrix: IntArray, source: QType, where: str) -> AdderGraph:
    """Find an adder graph of the least depth, and check that it computes the product.

    The same weights always give the same graph. One that took over a second to find is kept in the user's cache folder
    (``$XDG_CACHE_HOME/quantunet``) and checked again when it is read.

    Args:
        matrix: ``(inputs, outputs)``.
        source: Type of the inputs.
        where: The layer, for messages.

    Raises:
        ToolMissingError: da4ml is not installed.
        ToolFailedError: The graph that it found computes something else, or is deeper than it should be.
    """
    return _adder_graph(matrix, source.qmin, source.qmax, where)


@lru_cache(maxsize=256)
def _adder_graph(matrix: IntArray, low: int, high: int, where: str) -> AdderGraph:
    kernel = matrix.array
    kept = _cache_file(kernel, low, high)
    graph = _read(kept)
    if graph is not None and _is_right(graph, kernel, low, high):
        return graph
    begin = time.monotonic()
    if not kernel.any():
        graph = AdderGraph(len(kernel), (), (Output(None, 0, False),) * kernel.shape[1])
    elif kernel.size > _LARGE:
        logger.info("%s: finding an adder graph for %d weights", where, kernel.size)
        graph = _solve_apart(kernel, low, high, where)
    else:
        graph = _solve(kernel, low, high)
    if not _is_right(graph, kernel, low, high):
        raise ToolFailedError(
            where,
            expected=f"an adder graph of {adder_levels(kernel)} levels that computes the product with the weights",
            got="another one",
            hint=f"da4ml {importlib.metadata.version('da4ml')} is at fault; use another style for this layer.",
        )
    seconds = time.monotonic() - begin
    if seconds > _LONG:
        logger.info("%s: %d adders, found in %.1f s", where, len(graph.adders), seconds)
        try:
            cache.write_json(kept, kept.stem, _to_json(graph))
        except StorageError as error:
            logger.warning("%s: the adder graph is not kept: %s", where, error)
    return graph


def _is_right(graph: AdderGraph, kernel: Array, low: int, high: int) -> bool:
    """Compare the graph with the product: on every unit vector, which is a proof, and on vectors of real inputs."""
    if (graph.inputs, len(graph.outputs)) != kernel.shape or max(graph.levels()) > adder_levels(kernel):
        return False
    unit = np.eye(len(kernel), dtype=np.int64)
    real = np.random.default_rng(0).integers(low, high + 1, size=(_RANDOM_VECTORS, len(kernel)))
    return all(np.array_equal(graph.evaluate(vectors), vectors @ kernel) for vectors in (unit, real))


def _da4ml() -> Any:
    try:
        from da4ml.cmvm import solve
    except ImportError as error:
        raise ToolMissingError(
            "da4ml",
            expected="the Python package da4ml for layers of the style constant",
            got="none",
            hint="Install it: pip install 'quantunet[hls]'.",
        ) from error
    return solve


def _solve_apart(kernel: Array, low: int, high: int, where: str) -> AdderGraph:
    """Ask da4ml in a process of its own."""
    _da4ml()  # where it is missing that is said here
    job = json.dumps({"kernel": kernel.tolist(), "low": low, "high": high})
    outcome = processes.run([sys.executable, "-m", "quantunet.hls.matrix.constant_worker"], data=job.encode())
    lines = outcome.stdout.decode().splitlines()
    graph = _from_json(json.loads(lines[-1])) if outcome.code == 0 and lines else None
    if graph is None:
        raise ToolFailedError(
            where, expected="an adder graph", got=f"exit code {outcome.code}: {outcome.output[-2000:]}"
        )
    return graph


def answer(job: str) -> str:
    """Return the graph, as JSON, of a kernel and its range: what the worker process is asked for."""
    asked = json.loads(job)
    return json.dumps(_to_json(_solve(np.array(asked["kernel"], dtype=np.int64), asked["low"], asked["high"])))


def _solve(kernel: Array, low: int, high: int) -> AdderGraph:
    """Ask da4ml for the product; ``hard_dc=0`` is its least depth."""
    search = _da4ml()
    interval = (float(low), float(high), 1.0)
    pipeline = search(
        kernel.astype(np.float32),
        hard_dc=0,
        adder_size=1,
        qintervals=[interval] * len(kernel),
        search_all_decompose_dc=False,
    )
    adders: list[Adder] = []
    terms: list[Term | None] = [(index, 0, 1) for index in range(len(kernel))]
    for stage in pipeline.solutions:
        values: list[Term | None] = []
        for op in stage.ops:
            if op.opcode == -1:
                values.append(_scaled(terms[op.id0], int(stage.inp_shifts[op.id0]), 1))
                continue
            left, right = values[op.id0], _scaled(values[op.id1], op.data, -1 if op.opcode == 1 else 1)
            if op.opcode not in (0, 1) or left is None or right is None:
                raise ToolFailedError("da4ml", expected="additions and subtractions", got=f"{op}")
            term, adder = _add(left, right, len(kernel) + len(adders))
            adders.append(adder)
            values.append(term)
        terms = [
            _scaled(values[index], shift, -1 if negative else 1) if index >= 0 else None
            for index, shift, negative in zip(stage.out_idxs, stage.out_shifts, stage.out_negs, strict=True)
        ]
    return prune(len(kernel), adders, [_output(term) for term in terms])


def _scaled(term: Term | None, shift: int, sign: int) -> Term | None:
    return None if term is None else (term[0], term[1] + int(shift), term[2] * sign)


def _add(left: Term, right: Term, index: int) -> tuple[Term, Adder]:
    """Return the sum of two terms as a term of a new value, and the adder that makes it."""
    if left[2] < right[2]:
        left, right = right, left  # -a + b is b - a
    exponent = min(left[1], right[1])
    adder = Adder(left[0], right[0], left[1] - exponent, right[1] - exponent, left[2] != right[2])
    return (index, exponent, left[2]), adder


def _output(term: Term | None) -> Output:
    if term is None:
        return Output(None, 0, False)
    if term[1] < 0:
        raise ToolFailedError("da4ml", expected="an integer product", got=f"a product scaled by 2**{term[1]}")
    return Output(term[0], term[1], term[2] < 0)


def _cache_file(kernel: Array, low: int, high: int) -> Path:
    try:
        version = importlib.metadata.version("da4ml")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    return cache.folder("adder_graphs") / f"{cache.key(_FORMAT, version, kernel, low, high)[:32]}.json"


def _to_json(graph: AdderGraph) -> dict[str, Any]:
    return {
        "inputs": graph.inputs,
        "adders": [dataclasses.astuple(adder) for adder in graph.adders],
        "outputs": [dataclasses.astuple(output) for output in graph.outputs],
    }


def _read(path: Path) -> AdderGraph | None:
    """Return a kept graph; ``None`` if there is none or it is damaged, then it is found again."""
    return _from_json(cache.read_json(path, path.stem))


def _from_json(document: Any) -> AdderGraph | None:
    """Return the graph that ``_to_json`` took apart; ``None`` if it is none."""
    try:
        adders = tuple(Adder(*adder) for adder in document["adders"])
        return AdderGraph(document["inputs"], adders, tuple(Output(*output) for output in document["outputs"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return None
