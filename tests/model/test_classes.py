"""Masks of several classes: which values are classes, from where their names come, what is learned and scored."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from quantunet import golden, qonnx_import
from quantunet.errors import FileFormatError, ImageError, OptionError, QuantUNetError, ShapeError, TrainingError
from quantunet.golden.pictures import frame, to_image
from quantunet.model import data, float_export, float_network, own_set, quantizers, set_file
from quantunet.model.augment import augment
from quantunet.model.class_scores import card_scores, mean_dice, score_classes, summary
from quantunet.model.classes import check_values, parse_classes
from quantunet.model.config import TrainConfig, UNetConfig
from quantunet.model.data_digest import data_digest
from quantunet.model.export import export
from quantunet.model.float_export import export_float
from quantunet.model.loss import SegmentationLoss
from quantunet.model.predict import predict
from quantunet.model.samples import Samples
from quantunet.model.signatures import failures
from quantunet.model.sweep import read_jobs
from quantunet.model.train import Trainer
from quantunet.model.unet import float_unet, quant_unet
from quantunet.pixel_codes import picture_codes

NAMES = ("background", "disc", "ball")


def folder(root: Path, count: int = 4, height: int = 24, width: int = 40, values: tuple[int, int] = (1, 2)) -> Path:
    """Write pictures with a disc and, but in every fourth, a ball."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    for index in range(count):
        mask = np.zeros((height, width), np.uint8)
        for value in values[: 1 if index % 4 == 3 else 2]:
            row, column = rng.integers(8, height - 8), rng.integers(8, width - 8)
            mask[(y - row) ** 2 + (x - column) ** 2 < rng.integers(20, 60)] = value
        picture = np.clip(40 + 70 * mask + rng.normal(0, 12, mask.shape), 0, 255).astype(np.uint8)
        for name, pixels in (("images", picture), ("masks", mask)):
            path = root / name / f"case{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


@pytest.mark.parametrize("text", ["background", "a,b", "a,,b", "a,b,a", ",".join(map(str, range(257))), "a,b,c\n"])
def test_names_that_are_none_are_refused(text: str) -> None:
    if text == "a,b,c\n":
        assert parse_classes(text) == ("a", "b", "c")
        return
    with pytest.raises(OptionError, match="3 to 256 different names"):
        parse_classes(text)


def test_values_that_are_no_class_are_refused_by_name_and_value(tmp_path: Path) -> None:
    source = folder(tmp_path / "set")
    Image.fromarray(np.array([[0, 128, 255]] * 24, np.uint8).repeat(14, axis=1)[:, :40]).save(
        source / "masks" / "case2.png"
    )
    with pytest.raises(
        ImageError, match=r"case2\.png: expected the values 0 to 2, .*got the values 0, 128, 255"
    ) as error:
        data.load(str(source), 16, classes=NAMES)
    assert "of which 128 is no class" in str(error.value) and "Save the index" in error.value.hint
    with pytest.raises(ImageError, match="whole numbers"):
        check_values(np.array(["a"]), NAMES, "x")
    with pytest.raises(ImageError, match="0.5 is no class"):
        check_values(np.array([0, 0.5]), NAMES, "x")


def test_classes_that_nobody_names_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="got 0, 1, 2.*--classes background,NAME,NAME"):
        data.load(str(folder(tmp_path)), 16)


def test_masks_of_one_class_each_are_not_silently_merged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = folder(tmp_path / "one", values=(1, 1))
    data.load(str(source), 16)
    assert not caplog.records
    path = source / "masks" / "case1.png"
    values = np.asarray(Image.open(path))
    Image.fromarray(values * 255).save(path)
    data.load(str(source), 16)
    assert not caplog.records, "1 and 255 are both usual"
    Image.fromarray(values * 2).save(path)
    with caplog.at_level(logging.WARNING):
        data.load(str(source), 16)
    assert "by the values 1, 2, and all of them are taken for one foreground" in caplog.text


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_images_of_any_height_and_width_hold_the_classes_of_their_pixels(tmp_path: Path, fit: str) -> None:
    source = folder(tmp_path)
    samples = data.load(str(source), (16, 32), fit=fit, classes=NAMES)  # type: ignore[arg-type]
    assert samples.images.shape == samples.masks.shape == (4, 16, 32)
    assert samples.classes == NAMES and set(np.unique(samples.masks)) == {0, 1, 2}
    place = frame((24, 40), (16, 32), fit)  # type: ignore[arg-type]
    compared = 0
    for index in range(4):
        picture, mask = (np.asarray(Image.open(source / kind / f"case{index}.png")) for kind in ("images", "masks"))
        assert (samples.images[index] == to_image(picture[:, :, None], place)[:, :, 0]).all()
        rows = (2 * np.arange(place.height) + 1) * 24 // (2 * place.height)
        columns = (2 * np.arange(place.width) + 1) * 40 // (2 * place.width)
        inside = samples.masks[index][place.top : place.top + place.height, place.left : place.left + place.width]
        assert (inside == mask[np.ix_(rows, columns)]).all()
        compared += inside.size
    assert compared > 1000


def test_an_npz_keeps_the_classes_and_is_reduced_in_both_directions(tmp_path: Path) -> None:
    source, file = folder(tmp_path / "set"), tmp_path / "set.npz"
    found = own_set.read_own(source, (24, 40), "stretch", classes=NAMES)
    set_file.write(file, own_set.arrays_of(found, "stretch"))
    assert set_file.read(file)["classes"].tolist() == ["background,disc,ball"] * 4
    whole, half = data.load(str(file), (24, 40)), data.load(str(file), (12, 20))
    assert whole.classes == half.classes == NAMES and half.masks.shape == (4, 12, 20)
    assert data_digest(whole) == data_digest(data.load(str(source), (24, 40), classes=NAMES))
    assert (half.masks == whole.masks[:, 1::2, 1::2]).all()
    with pytest.raises(OptionError, match="background,disc,ball, as the data say themselves"):
        data.load(str(file), (24, 40), classes=("background", "ball", "disc"))
    for size in (24, (12, 40), (48, 80)):
        with pytest.raises(ImageError, match="or of a multiple of it"):
            data.load(str(file), size)  # type: ignore[arg-type]
    arrays = set_file.read(file)
    arrays.pop("classes")
    set_file.write(file, arrays)
    with pytest.raises(ImageError, match="background,NAME,NAME"):
        data.load(str(file), (24, 40))
    assert data.load(str(file), (24, 40), classes=NAMES).classes == NAMES


def test_nnunet_names_its_classes(tmp_path: Path) -> None:
    source = folder(tmp_path / "set")
    (source / "images").rename(source / "imagesTr")
    (source / "masks").rename(source / "labelsTr")
    for path in (source / "imagesTr").iterdir():
        path.rename(path.with_name(f"{path.stem}_0000.png"))
    document = {"labels": {"background": 0, "disc": 1, "ball": 2}, "file_ending": ".png"}
    (source / "dataset.json").write_text(json.dumps(document))
    assert data.load(str(source), 16).classes == NAMES
    with pytest.raises(OptionError, match="as the data say themselves"):
        data.load(str(source), 16, classes=("a", "b", "c"))
    document["labels"] = {"background": 0, "disc": 1}
    (source / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(ImageError, match="the labels 0 and 1"):
        data.load(str(source), 16)
    with pytest.raises(OptionError, match="the one class that its dataset.json names"):
        data.load(str(source), 16, classes=NAMES)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: data.load("phantoms", 16, phantom_count=2, classes=NAMES), OptionError, "masks have one foreground"),
        (
            lambda: data.load("phantoms", (16, 32), phantom_count=2),
            ShapeError,
            "a square, for this source, got 16 x 32",
        ),
        (lambda: TrainConfig("tiny", size=(48, 50)), ShapeError, "a multiple of 4.*got 50"),
        (lambda: TrainConfig("tiny", size=(48, 5000)), TrainingError, "8 to 4096, or two of them, got"),
        (lambda: TrainConfig("tiny", classes="a,b"), OptionError, "different names"),
        (
            lambda: TrainConfig("tiny", classes="a,b,c").changed(lesion=0.5),
            TrainingError,
            "lesion.*expected 0 with several classes",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(call: Callable[[], object], error: type[QuantUNetError], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_square_is_one_setting_however_it_is_spelled() -> None:
    assert TrainConfig("tiny", size=(32, 32)) == TrainConfig("tiny", size=32)
    assert TrainConfig("tiny", size=32).to_dict()["unet"] == {"base": 4, "depth": 2, "size": 32, "in_channels": 1}
    wide = TrainConfig("tiny", size=(48, 80), classes="a,b,c").to_dict()["unet"]
    assert UNetConfig(**wide).shape == (48, 80) and UNetConfig(**wide).out_channels == 3


def test_a_sweep_takes_pairs_and_classes(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    lines = ["[study.a]", 'data = "set"', 'preset = "tiny"', "size = [32, [48, 80]]", 'classes = "a,b,c"']
    file.write_text("\n".join(lines))
    square, wide = read_jobs(file)
    assert (square.config.unet.shape, wide.config.unet.shape) == ((32, 32), (48, 80))
    assert wide.config.class_names == ("a", "b", "c") and square.name != wide.name
    file.write_text("\n".join(lines).replace("[48, 80]", "[48, 80, 3]"))
    with pytest.raises(FileFormatError, match="a whole number, or a list of pairs"):
        read_jobs(file)


def test_the_loss_is_cross_entropy_and_the_mean_dice_of_the_classes_but_the_background() -> None:
    torch.manual_seed(0)
    logits, mask = torch.randn(2, 3, 8, 16), torch.randint(0, 3, (2, 1, 8, 16)).float()
    shape = UNetConfig(base=2, depth=1, size=8, width=16, classes=3)
    found = SegmentationLoss(shape)(logits, mask)
    probability, target = torch.softmax(logits, 1), functional.one_hot(mask[:, 0].long(), 3).permute(0, 3, 1, 2)
    both, total = ((a).sum((2, 3)) for a in (probability * target, probability + target))
    dice = (1 - (2 * both + 1) / (total + 1))[:, 1:].mean()
    expected = functional.cross_entropy(logits, mask[:, 0].long()) + dice
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    taught = SegmentationLoss(shape)(logits, mask, teacher=logits) - found
    entropy = -(probability * torch.log_softmax(logits, 1)).sum(1).mean()
    assert taught.item() == pytest.approx(entropy.item(), rel=1e-5)


def test_a_turn_is_one_in_pixels_whatever_the_proportions() -> None:
    """A disc in an image twice as wide as high stays about as high as wide, and classes stay classes."""
    y, x = torch.meshgrid(torch.arange(32), torch.arange(64), indexing="ij")
    disc = (((y - 16) ** 2 + (x - 32) ** 2) < 64).float() * 2
    image = disc[None, None].repeat(64, 1, 1, 1)
    moved = augment(image / 4, image, torch.Generator().manual_seed(0))[1]
    assert set(moved.unique().tolist()) == {0.0, 2.0}
    bar = ((x - 32).abs() < 2).float()[None, None].repeat(256, 1, 1, 1)
    turned = augment(bar, bar, torch.Generator().manual_seed(1))[1][:, 0] > 0
    centre = [[(turned[i, row].float() * x[0]).sum() / turned[i, row].sum() for row in (4, 27)] for i in range(256)]
    slope = max(abs(float(a - b)) / 23 for a, b in centre)
    assert 0.12 < slope < np.tan(np.radians(10)) * 1.12 / 0.88 + 0.05, "of ten degrees and a scale, and no more"


def test_scores_are_those_of_each_class_and_their_mean() -> None:
    reference = np.zeros((3, 4, 4), np.uint8)
    reference[0, 0], reference[0, 1], reference[1, 0] = 1, 2, 1
    predicted = reference.copy()
    predicted[0, 1, :2] = 1
    found = card_scores(predicted, reference, 3)
    assert found["dice_1"] == pytest.approx((2 * 4 / (4 + 6) + 1) / 2) and found["dice_2"] == pytest.approx(
        4 / 6, abs=1e-6
    )
    assert found["dice"] == pytest.approx((found["dice_1"] + found["dice_2"]) / 2)  # type: ignore[operator]
    assert found["dice"] == mean_dice(predicted, reference, 3)
    assert (found["images"], found["lesion_images"], found["clean_normals"], found["hd95"]) == (3, 2, 1, None)
    assert found["accuracy"] == pytest.approx(1 - 2 / 48, abs=1e-6)
    each = score_classes(predicted.astype(np.int64), reference.astype(np.int64), 3)
    assert summary(each)["mean_dice"] == found["dice"]


def test_maps_that_are_worth_nothing_are_told() -> None:
    reference = np.zeros((2, 4, 4), np.uint8)
    reference[0, :2], reference[1, 2:, :2] = 1, 2
    for value, text in ((0, "all background"), (2, "all class 2")):
        (sign,) = failures([], np.full_like(reference, value), reference, learned=False, classes=3)
        assert text in sign
    wrong = np.where(reference > 0, 0, 1).astype(np.uint8)
    (sign,) = failures([], wrong, reference, learned=False, classes=3)
    assert "of masks that are one class everywhere" in sign
    assert failures([], reference, reference, learned=False, classes=3) == []
    reference[0], reference[1], half = 2, 0, reference * 0
    reference[1, 0, 0], half[0, :2] = 1, 2
    (sign,) = failures([], half, reference, learned=False, classes=3)
    assert "Dice 0.333 on the validation part, of masks that are one class everywhere 0.500" in sign


def made(count: int = 12, *, missing: bool = False) -> Samples:
    rng = np.random.default_rng(0)
    masks = np.zeros((count, 16, 32), np.uint8)
    masks[:, 2:8, 3:12], masks[:, 8:14, 18:28] = 1, 0 if missing else 2
    images = (60 * masks + rng.integers(0, 40, masks.shape)).astype(np.uint8)
    return Samples("made", images, masks, np.arange(count), np.full(count, ""), classes=NAMES)


QUICK = TrainConfig(
    "tiny", base=4, depth=1, size=(16, 32), classes=",".join(NAMES), float_epochs=20, qat_epochs=2, tune_epochs=1,
    batch_size=2, val_fraction=0.25, float_lr=0.03, qat_lr=0.005, width_lr=1.0, patience=0,
)  # fmt: skip


def test_a_training_needs_each_class_and_those_of_its_configuration(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the class 2, ball, in the training part"):
        Trainer(QUICK, made(missing=True), tmp_path)
    with pytest.raises(TrainingError, match="expected the classes of one foreground, got background,disc,ball"):
        Trainer(QUICK.changed(classes=None), made(), tmp_path)
    with pytest.raises(TrainingError, match="images of 16 x 16"):
        Trainer(QUICK.changed(size=16), made(), tmp_path)


def test_classes_are_learned_and_exported_exactly(tmp_path: Path) -> None:
    samples = made()
    outcome = Trainer(QUICK, samples, tmp_path).run()
    assert outcome.history[-1]["val_dice"] > 0.8
    report = export(outcome.final_model, tmp_path / "net.onnx", samples.images[:3])
    graph = qonnx_import.load(tmp_path / "net.onnx")
    assert report.differing == 0 and report.compared == 3 * 2 * sum(int(np.prod(t.shape)) for t in graph.tensors)
    assert graph.nodes[-1].op == "argmax" and graph.nodes[-1].name == "argmax" and graph.gives_classes
    assert (graph.tensor(graph.input).shape, graph.logits.shape) == ((16, 32, 1), (16, 32, 3))
    taps = golden.run_batch(graph, [picture_codes(graph, image) for image in samples.images])
    classes = golden.classes(graph, taps)
    assert (classes == taps[graph.output][..., 0]).all() and (
        predict(outcome.final_model, samples.images) == classes
    ).all()
    assert len(np.unique(classes)) > 1


def test_the_float_twin_of_several_classes_and_of_no_square(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = float_unet(QUICK.unet).eval()
    images = np.random.default_rng(1).integers(0, 256, (3, 16, 32), dtype=np.uint8)
    report = export_float(model, tmp_path / "net_float.onnx", images)
    network = float_network.load(tmp_path / "net_float.onnx")
    assert (network.size, network.classes) == ((16, 32), 3)
    assert network.logits(images).shape == (3, 16, 32, 3) and report.compared == 3 * 16 * 32 * 3
    assert (network.class_maps(images) != predict(model, images)).sum() == report.differing
    with pytest.raises(ShapeError, match="one logit, for masks"):
        network.masks(images)
    with pytest.raises(ShapeError, match="images of 16 x 32"):
        network.logits(images[:, :, :16])
    assert float_export.TOLERANCE < 1


def test_equal_logits_are_the_first_class_everywhere(tmp_path: Path) -> None:
    """In torch, in the file and in golden: a network whose head has learned nothing gives class 0."""
    torch.manual_seed(0)
    model = quant_unet(QUICK.unet)
    with torch.no_grad():
        for _ in range(quantizers.COLLECT_STATS_STEPS + 1):
            model(torch.rand(2, 1, 16, 32))
        head = model.convs["head"].conv  # type: ignore[union-attr]
        head.weight.zero_()  # type: ignore[operator]
        head.bias.zero_()  # type: ignore[operator, union-attr]
    images = np.random.default_rng(2).integers(0, 256, (1, 16, 32), dtype=np.uint8)
    assert export(model, tmp_path / "net.onnx", images).differing == 0
    assert not predict(model, images).any()
