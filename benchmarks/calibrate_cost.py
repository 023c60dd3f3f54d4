"""Fits the cost model of the foldings to syntheses of the library: ``python -m benchmarks.calibrate_cost``.

Small designs with widths, channels and foldings drawn at random over the ranges of the networks are synthesised, their
results kept by content, so that a second run goes on where the first one stopped. LUTs and flip-flops are fitted by
least squares of the relative error, without negative coefficients. The error that is reported is that of syntheses
which the fit had not seen: each quarter of the samples is predicted by a fit to the other three. Block RAM and
multipliers follow rules and are only checked.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from quantunet.hls.choose.estimate import layer_terms, plumbing_terms
from quantunet.hls.design import Fold, Style
from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources
from quantunet.hls.resources.calibration import COEFFICIENTS, FORMAT, Calibration
from quantunet.hls.resources.terms import Cost, Terms
from quantunet.hls.synth import flow, yosys
from quantunet.hls.synth.yosys import Job, Synthesis
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType, Tensor
from quantunet.random_network import GraphBuilder
from quantunet.storage import atomic_path, write_text

logger = logging.getLogger(__name__)

FOLDS = 4
"""Parts of the cross-validation."""

LARGEST = 128
"""PE times SIMD of the largest sample."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One small design.

    Attributes:
        name: What it is.
        group: The kind of module, for the report.
        terms: Its terms in the cost model.
        job: What Yosys is given.
    """

    name: str
    group: str
    terms: Terms
    job: Job


def samples(folder: Path, seed: int = 1) -> list[Sample]:
    """Write the designs and return them, always the same ones.

    Args:
        folder: Where the projects go.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    found = [_matrix(folder, rng, index, "folded-lut") for index in range(44)]
    found += [_matrix(folder, rng, index, "folded-dsp") for index in range(16)]
    found += [_matrix(folder, rng, index, "constant") for index in range(10)]
    found += [_plain(folder, rng, index) for index in range(16)]
    found += [_plumbing(folder, rng, index) for index in range(24)]
    found += [_plain(folder, rng, index) for index in range(17, 57, 4)]  # requant: its cases differ most
    found += [_matrix(folder, rng, index, "folded-dsp") for index in range(16, 28)]
    return found


def _choose(rng: np.random.Generator, *values: int) -> int:
    return int(rng.choice(values))


def _activation(rng: np.random.Generator) -> QType:
    bits = _choose(rng, 2, 3, 4, 4, 5, 5, 6, 6, 8)
    return QType(bits, False, bits - 1) if rng.random() < 0.75 else QType(bits, True, bits - 2)


def _matrix(folder: Path, rng: np.random.Generator, index: int, style: Style) -> Sample:
    kind, kernel = ((Conv2d, 3), (Conv2d, 3), (Conv2d, 3), (ConvTranspose2d, 2), (Conv2d, 1))[index % 5]
    multipliers = LARGEST if index % 20 == 19 else _choose(rng, 1, 2, 4, 8, 8, 16, 16, 32, 32, 64)
    pe = _choose(rng, *(n for n in (1, 2, 4, 8, 16, 32) if multipliers // 32 <= n <= multipliers))
    simd = multipliers // pe
    channels_in, channels_out = simd * _choose(rng, 1, 2, 4, 8), pe * _choose(rng, 1, 2, 4, 8)
    size = _choose(rng, 8, 16, 32, 64, 128)
    if index % 10 == 4:  # one word of weights
        channels_in, channels_out = simd, pe
    name = f"{style.replace('-', '_')}_{index}"
    if style == "constant":
        kind, kernel = Conv2d, 1 if index % 3 == 2 else 3
        pe = channels_out = _choose(rng, 2, 4, 8, 8)
        simd = channels_in = _choose(rng, 1, 2, 4, 8) * (1 if kernel > 1 else 2)
    builder = GraphBuilder(name, 8, size, channels_in, _activation(rng), seed=index)
    bits_w = _choose(rng, 2, 3, 4, 4, 5, 5, 6, 7, 8)
    builder.matrix(kind, name, "image", channels_out, kernel, bits_w, _activation(rng))
    return _layer(folder, builder.build(), Fold(pe, simd, style), f"{kind.op} {kernel}x{kernel}, {style}")


def _plain(folder: Path, rng: np.random.Generator, index: int) -> Sample:
    lanes = _choose(rng, 1, 2, 4, 8, 16, 32)
    channels, qtype, size = lanes * _choose(rng, 1, 2, 4), _activation(rng), _choose(rng, 8, 16, 32, 64, 128)
    op = ("maxpool2d", "requant", "concat", "sigmoid")[index % 4]
    name = f"{op}_{index}"
    if op == "sigmoid":
        lanes = channels = 1
    builder = GraphBuilder(name, 8, size, channels, qtype, seed=index)
    inputs = ["image"]
    if op == "maxpool2d":
        builder.maxpool2d(name, "image")
    elif op == "requant":
        builder.requant(name, "image", QType(_choose(rng, 3, 4, 5), True, qtype.frac - _choose(rng, 0, 1, 2)))
    elif op == "concat":
        builder.tensors.append(Tensor("up", (8, size, channels), qtype))
        builder.concat(name, "image", "up")
        inputs.append("up")
    else:
        builder.sigmoid(name, "image")
    return _layer(folder, builder.build(inputs), Fold(lanes, lanes), op)


def _layer(folder: Path, graph: Graph, fold: Fold, group: str) -> Sample:
    (node,) = graph.nodes
    (part,) = flow.write_rtl(graph, {node.name: fold}, folder / node.name, [node.name])
    return Sample(f"{node.name} {fold.pe}x{fold.simd}", group, layer_terms(graph, node, fold), part.job)


def _plumbing(folder: Path, rng: np.random.Generator, index: int) -> Sample:
    lanes, other = (int(n) for n in rng.choice([1, 2, 4, 8, 16, 32], size=2, replace=False))
    bits = _choose(rng, 2, 4, 5, 6, 8)
    module = ("qun_width_adapter", "qun_fifo", "qun_width_adapter", "qun_fork")[index % 4]
    if module == "qun_fork":
        parameters = {"Bits": lanes * bits, "Outputs": 2}
    elif module == "qun_fifo":
        parameters = {"Bits": lanes * bits, "Depth": (12, 24, 400, 16, 40, 1200)[index // 4]}
    else:
        parameters = {"InLanes": lanes, "OutLanes": other, "Bits": bits}
    terms = plumbing_terms(module.removeprefix("qun_"), **parameters)
    values = "x".join(str(value) for value in parameters.values())
    sources = library_sources({module})
    job = Job(f"{module}_{index}", module, sources, RTL_FOLDER, parameters=tuple(parameters.items()))
    return Sample(f"{module} {values}", module, terms, job)


def nonnegative_least_squares(matrix: Floats, target: Floats, rounds: int = 20000) -> Floats:
    """Return the ``x >= 0`` that minimises ``|matrix x - target|``, by coordinate descent.

    Args:
        matrix: ``(rows, columns)``.
        target: ``(rows,)``.
        rounds: Passes over the columns.
    """
    gram, right = matrix.T @ matrix, matrix.T @ target
    x = np.zeros(matrix.shape[1])
    for _ in range(rounds):
        before = x.copy()
        for column in range(len(x)):
            if gram[column, column] > 0:
                step = (right[column] - gram[column] @ x) / gram[column, column]
                x[column] = max(0.0, x[column] + step)
        if np.abs(x - before).max() < 1e-7:
            break
    return x


def fit(amounts: Sequence[Mapping[str, float]], values: Sequence[float]) -> dict[str, float]:
    """Fit the coefficient of every term to what was measured, by the relative error.

    Args:
        amounts: Amount of every term, one mapping a sample.
        values: What is to be explained: the measured value, less what is known.
    """
    names = sorted({name for one in amounts for name in one})
    weight = 1 / np.maximum(np.array(values, dtype=np.float64), _SMALL)
    matrix = np.array([[one.get(name, 0.0) for name in names] for one in amounts]) * weight[:, None]
    return dict(zip(names, nonnegative_least_squares(matrix, np.array(values) * weight).tolist(), strict=True))


_SMALL = 30.0
"""Below so many LUTs or flip-flops the absolute error counts, not the relative one."""


def calibrate(found: Sequence[Sample], results: Sequence[Synthesis], tool: str) -> tuple[Calibration, list[Cost]]:
    """Fit the model and predict every sample by a fit that has not seen it.

    Returns:
        The calibration on all samples, with the errors of the predictions; and the predictions.
    """
    predictions: list[Cost] = [Cost()] * len(found)
    parts = _parts(found)
    for part in range(FOLDS):
        fitted = _fit(found, results, [index for index in range(len(found)) if parts[index] != part], tool)
        for index in range(len(found)):
            if parts[index] == part:
                predictions[index] = fitted.cost(found[index].terms)
    errors: dict[str, tuple[float, float]] = {}
    for resource in ("lut", "ff", "dsp", "bram"):
        relative = [_error(one, result, resource) for one, result in zip(predictions, results, strict=True)]
        errors[resource] = (float(np.median(relative)), float(np.max(relative)))
    fitted = _fit(found, results, range(len(found)), tool)
    return dataclasses.replace(fitted, errors=errors), predictions


def _parts(found: Sequence[Sample]) -> list[int]:
    """Deal the samples of each group out to the parts of the cross-validation."""
    counts: dict[str, int] = {}
    parts = []
    for sample in found:
        counts[sample.group] = counts.get(sample.group, -1) + 1
        parts.append(counts[sample.group] % FOLDS)
    return parts


def _error(predicted: Cost, result: Synthesis, resource: str) -> float:
    measured: int = getattr(result.usage, resource)
    floor = _SMALL if resource in ("lut", "ff") else 1
    return float(abs(getattr(predicted, resource) - measured) / max(measured, floor))


def _fit(found: Sequence[Sample], results: Sequence[Synthesis], seen: Sequence[int], tool: str) -> Calibration:
    every_lut = {name for one in found for name in one.terms.lut}
    every_ff = {name for one in found for name in one.terms.ff}
    lut = fit(
        [found[index].terms.lut for index in seen],
        [results[index].usage.lut - found[index].terms.lut_known for index in seen],
    )
    ff = fit([found[index].terms.ff for index in seen], [results[index].usage.ff for index in seen])
    return Calibration(
        {name: lut.get(name, 0.0) for name in sorted(every_lut)},
        {name: ff.get(name, 0.0) for name in sorted(every_ff)},
        tool,
        len(found),
        {},
    )


def to_json(calibration: Calibration) -> str:
    """Return the calibration as the file that the cost model reads."""
    document = {
        "format": FORMAT,
        "tool": calibration.tool,
        "samples": calibration.samples,
        "errors": {
            name: {"median": round(median, 4), "worst": round(worst, 4)}
            for name, (median, worst) in calibration.errors.items()
        },
        "lut": {name: round(value, 4) for name, value in calibration.lut.items()},
        "ff": {name: round(value, 4) for name, value in calibration.ff.items()},
    }
    return json.dumps(document, indent=1) + "\n"


def plot(path: Path, predictions: Sequence[Cost], results: Sequence[Synthesis]) -> None:
    """Draw predicted against measured LUT places and flip-flops, a point for each sample.

    Args:
        path: The PNG file.
        predictions: Of the samples, by fits that had not seen them.
        results: Their syntheses.

    Raises:
        StorageError: The file cannot be written.
    """
    drawing = Figure(figsize=(9, 4.6), layout="constrained")
    for axes, resource, unit in zip(drawing.subplots(1, 2), ("lut", "ff"), ("LUT places", "flip-flops"), strict=True):
        measured = [getattr(result.usage, resource) for result in results]
        predicted = [getattr(one, resource) for one in predictions]
        ends = np.array([0.7 * min(*measured, *predicted, _SMALL), 1.4 * max(*measured, *predicted)])
        axes.fill_between(ends, ends / 1.3, ends * 1.3, color="0.9", label="off by at most a factor of 1.3")
        axes.plot(ends, ends, color="0.5", linewidth=1, label="predicted = measured")
        axes.scatter(measured, predicted, s=14, facecolors="none", edgecolors="C0", label=f"{len(results)} modules")
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal", title=unit)
        axes.set(xlabel="measured, by a synthesis of the module", ylabel="predicted, by a fit to others")
        axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(loc="upper left", fontsize="small")
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, format="png", dpi=110, metadata={"Software": None})


def main() -> None:
    """Synthesise, fit, write, and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=COEFFICIENTS, help="the calibration (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("build/calibrate_cost"), help="projects and results")
    parser.add_argument("--jobs", type=int, default=1, help="syntheses at a time (default: %(default)s)")
    parser.add_argument("--plot", type=Path, default=Path("docs/cost_model.png"), help="(default: %(default)s)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = samples(args.folder / "rtl")
    count = 0

    def finished(job: Job, result: Synthesis) -> None:
        nonlocal count
        count += 1
        if not result.cached:
            usage = result.usage
            logger.info(
                "%d/%d %s: %d LUT, %d FF, %.0f s", count, len(found), job.name, usage.lut, usage.ff, result.seconds
            )

    results = yosys.synthesise(
        [sample.job for sample in found], args.folder / "cache", processes=args.jobs, finished=finished
    )
    calibration, predictions = calibrate(found, results, f"yosys {yosys.version()}")
    write_text(args.out, to_json(calibration))
    plot(args.plot, predictions, results)
    report(found, results, predictions)
    for name, (median, worst) in calibration.errors.items():
        logger.info("%s: median error %.1f %%, worst %.1f %%", name.upper(), 100 * median, 100 * worst)


def report(found: Sequence[Sample], results: Sequence[Synthesis], predictions: Sequence[Cost]) -> None:
    """Log the prediction of every sample beside its measurement."""
    for sample, result, one in zip(found, results, predictions, strict=True):
        figures = ", ".join(
            f"{getattr(one, name)} for {getattr(result.usage, name)} {name.upper()}"
            for name in ("lut", "ff", "dsp", "bram")
        )
        logger.info("%-34s %-24s %s", sample.name, sample.group, figures)


if __name__ == "__main__":
    main()
