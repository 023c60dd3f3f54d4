"""Networks on the images of another hospital: scored together, kept in a file, told apart by their training."""

import dataclasses

import numpy as np
import pytest
from benchmarks import other_hospital as oh
from benchmarks import pooled_folds, science_runs
from helpers.training import quick, samples, small

from quantunet.errors import DataSplitError, FileFormatError
from quantunet.model import data, evaluation
from quantunet.model.card import publish, publish_control
from quantunet.model.metrics import score_images
from quantunet.model.train import Trainer
from quantunet.qonnx_import import load

__all__ = ["quick", "samples", "small"]


def test_seeds_count_as_one_network_and_float_is_the_control(quick, samples, tmp_path):
    runs = []
    for seed in (0, 1):
        for method, bits in (("float", "float"), ("uniform3", 3)):
            config = quick.changed(bits=bits, seed=seed)
            folder = tmp_path / f"start{seed}" / method
            outcome = Trainer(config, samples, folder).run()
            write = publish_control if bits == "float" else publish
            write(outcome, config, samples, folder / "small.onnx", "a test")
            runs.append(
                science_runs.Run(
                    f"start{seed}/{method}", samples.source, "small", "group", seed, method, str(bits), float("nan"),
                    "", "", {}, "", "float32",
                )
            )  # fmt: skip
    away = dataclasses.replace(data.load_phantoms(6, samples.images.shape[1], 9), source="away.npz")
    away.masks[4:] = 0
    pooled = oh.score_away(tmp_path, runs, samples.source, away, None)
    each = []
    for seed in (0, 1):
        masks = evaluation.predict_masks(load(tmp_path / f"start{seed}" / "uniform3" / "small.onnx"), away.images)
        each.append((score_images(masks, away.masks).dice, masks.any(axis=(1, 2))))
    found = pooled.scores["small uniform3"]
    np.testing.assert_array_equal(found["dice"], np.mean([dice for dice, _ in each], axis=0))
    np.testing.assert_array_equal(found["marked"], np.mean([marked for _, marked in each], axis=0))
    assert np.isnan(found["dice"]).tolist() == [False] * 4 + [True] * 2

    path = tmp_path / oh.file_name(samples.source, away.source)
    path.write_text(pooled_folds.write(pooled))
    again = oh.read_all(tmp_path)
    assert list(again) == [path.stem]
    rows = [line.split(" | ") for line in oh.report(again, runs).splitlines()[2:]]
    assert [row[4] for row in rows] == ["float control", "uniform 3"]
    assert rows[0][7] == "–" and "(" in rows[1][7]
    assert all(row[5] == "4" and row[8].endswith("% |") for row in rows)

    with pytest.raises(FileFormatError, match="networks of runs.csv"):
        oh.report(again, [])
    with pytest.raises(FileFormatError, match="trainings of other.npz"):
        oh.score_away(tmp_path, runs, "other.npz", away, None)
    with pytest.raises(DataSplitError, match="no network has seen"):
        oh.score_away(tmp_path, runs, samples.source, samples, None)
    with pytest.raises(DataSplitError, match="earlier scores"):
        oh.score_away(tmp_path, runs, samples.source, away, dataclasses.replace(pooled, group=pooled.group[:-1]))
