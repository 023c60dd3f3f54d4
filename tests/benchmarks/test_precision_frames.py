"""Precision that follows the frame: high bits of a network, deciders and what they save, and frames of trainings."""

import dataclasses

import pytest
from benchmarks import frame_deciders as fd
from benchmarks import narrowed as nb
from benchmarks import precision_frames, science_runs
from helpers.training import quick, samples, small

from quantunet import golden
from quantunet.errors import FileFormatError, ModelError
from quantunet.ir import Conv2d
from quantunet.model import evaluation
from quantunet.model.card import bit_operations, publish
from quantunet.model.train import Trainer
from quantunet.qonnx_import import load
from quantunet.random_network import random_image, random_unet, random_windows

__all__ = ["quick", "samples", "small"]


def test_no_bit_less_is_the_same_network():
    graph = random_unet()
    assert nb.narrowed(graph, 0) == graph


def test_high_bits_keep_ranges_and_round_half_to_even():
    graph = random_unet(seed=3)
    less = nb.narrowed(graph, 1)
    checked = 0
    for old, new in zip(graph.nodes, less.nodes, strict=True):
        if not isinstance(old, Conv2d):
            continue
        dropped = old.weight_bits - new.weight_bits
        assert dropped == (old.weight_bits > nb.LEAST_BITS)
        assert old.weight_type.frac - new.weight_type.frac == dropped
        low, high = new.weight_type.qmin, new.weight_type.qmax
        for before, after in zip(old.weight.array.flat, new.weight.array.flat, strict=True):
            half = before / 2 if dropped else before
            even = round(half)  # half to even
            assert after == min(max(even, low), high)
            checked += 1
        source = graph.input_of(old).qtype.frac - less.input_of(new).qtype.frac
        assert new.bias.array.tolist() == [round(value / 2 ** (dropped + source)) for value in old.bias.array.tolist()]
    assert checked > 1000
    kept = {*graph.inputs, graph.logits.name, graph.output}
    for old, new in zip(graph.tensors, less.tensors, strict=True):
        assert (new == old) == (old.name in kept or old.qtype.bits <= nb.LEAST_BITS)
        assert old.qtype.bits - old.qtype.frac == new.qtype.bits - new.qtype.frac
    image = random_image(graph)
    assert golden.run(less, image)[less.output].shape == golden.run(graph, image)[graph.output].shape
    assert bit_operations(less) < bit_operations(graph)
    with pytest.raises(ModelError, match="a convolution, max pooling"):
        nb.narrowed(random_windows(), 1)


def test_bit_operations_by_hand():
    graph = random_unet(base=2, depth=1, size=4)
    first = graph.nodes[0]
    assert isinstance(first, Conv2d)
    alone = graph.layer(first.name)
    assert bit_operations(alone) == 4 * 4 * 9 * 1 * 2 * first.weight_bits * 8


def _frame(part, image, cheap, full, area, *, lesion=1, uncertain=0):
    return fd.Frame(
        "d", "c", "f", "0/1", part, image, image, lesion, cheap, full, area, 5, uncertain, cheap_cost=1.0, full_cost=2.0
    )


def test_the_threshold_is_set_on_one_part_and_applied_to_the_other():
    """An image in ten of the validation part, with an empty mask, loses 0.5; a third of the test part is such."""
    frames = [_frame("val", i, 0.3 if i == 0 else 0.8, 0.8, 0 if i == 0 else 9) for i in range(10)]
    frames += [_frame("test", i, 0.3 if i < 2 else 0.8, 0.8, 0 if i < 2 else 9) for i in range(6)]
    found = fd.decide(frames, fd.DECIDERS["an empty mask"])
    assert found.chosen.tolist() == [True, True, False, False, False, False]
    assert (found.share, found.loss) == (pytest.approx(1 / 3), 0.0)
    assert found.saving == pytest.approx(2 / (1 + 2 / 3))
    unseen = [dataclasses.replace(f, cheap_dice=0.797) if f.part == "val" else f for f in frames]  # 0.003 is allowed
    cheap = fd.decide(unseen, fd.DECIDERS["an empty mask"])
    assert (cheap.share, cheap.saving) == (0.0, 2.0)
    assert cheap.loss == pytest.approx(0.5 / 3)
    rows = [line.split(" | ") for line in fd.report(frames).splitlines()[2:]]
    assert [row[3] for row in rows] == ["none: the cheap network alone", *fd.DECIDERS, "the best choice, by the answer"]
    assert [row[5] for row in rows][:2] == ["0 %", "33 %"]
    assert rows[0][8].startswith("+0.1667 (") and rows[-1][10].startswith("1.20")


def test_normal_images_are_counted_apart_and_have_no_dice():
    frames = [_frame("val", 0, 0.8, 0.8, 9)]
    frames += [
        _frame("test", 0, 0.7, 0.8, 9),
        *(_frame("test", i, 0, 0, area, lesion=0) for i, area in ((1, 0), (2, 3))),
    ]
    row = fd.report(frames).splitlines()[2].split(" | ")
    assert row[6:8] == ["0.8000", "0.7000"]
    assert row[9] == "100 % → 50 %"


def test_frames_are_written_and_read_again(tmp_path):
    frames = [_frame("val", 0, 0.25, 0.5, 9), _frame("test", 1, 0, 0, 0, lesion=0, uncertain=3)]
    path = tmp_path / fd.FRAMES
    path.write_text(fd.write(frames))
    assert fd.read(path) == frames
    assert fd.read(tmp_path / "none.csv") == []
    for text in ("data,cheap\na,b\n", path.read_text().replace("0.25", "x")):
        path.write_text(text)
        with pytest.raises(FileFormatError, match="frames, as"):
            fd.read(path)


def test_frames_of_two_trainings_and_of_high_bits(quick, samples, tmp_path):
    runs = []
    for bits in (3, 5):
        config = quick.changed(bits=bits)
        folder = tmp_path / "start" / f"uniform{bits}"
        publish(Trainer(config, samples, folder).run(), config, samples, folder / "small.onnx", "a test")
        runs.append(
            science_runs.Run(
                f"start/uniform{bits}", samples.source, "small", "group", 0, f"uniform{bits}", str(bits), float("nan"),
                "", "", {}, "", "float32",
            )
        )  # fmt: skip
    frames = list(precision_frames.frames_of(tmp_path, runs, samples, cheap="uniform3", full="uniform5"))
    names = {frame.cheap for frame in frames}
    assert names == {"uniform3", "uniform5, high bits, 1 less"}
    split = Trainer(quick, samples, tmp_path / "again").batches.split
    for name in names:
        for part in ("val", "test"):
            images = [frame.image for frame in frames if (frame.cheap, frame.part) == (name, part)]
            assert images == split.parts()[part].tolist()
    for frame in frames:
        assert frame.lesion == samples.masks[frame.image].any()
        assert frame.cheap_cost < frame.full_cost
        assert 0 <= frame.uncertain <= samples.masks[0].size
    masks = evaluation.predict_masks(load(tmp_path / "start" / "uniform3" / "small.onnx"), samples.images)
    areas = [(frame.area, int(masks[frame.image].sum())) for frame in frames if frame.cheap == "uniform3"]
    assert len(areas) > 1
    assert all(found == expected for found, expected in areas)
    with pytest.raises(FileFormatError, match="trainings uniform2 and uniform5"):
        list(precision_frames.frames_of(tmp_path, runs, samples, cheap="uniform2", full="uniform5"))
