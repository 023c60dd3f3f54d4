"""Reports in which every name is that of a stranger who means ill, and the pages made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from quantunet.mask_pictures import Case
from quantunet.page import pictures
from quantunet.page.bitstream import bitstream_page
from quantunet.page.cosim import cosim_page
from quantunet.page.evaluate import evaluate_page
from quantunet.page.hls_synth import hls_synth_page, vitis_page
from quantunet.page.parts import Lane, Page, Section, Wave
from quantunet.page.train import train_page

HOSTILE = "</style></title><script>alert(1)</script>'\"><img src=x onerror=alert(1)>\x00\u202e{{ 7 * 7 }}&lt;"

LAYER: dict[str, Any] = {
    "name": HOSTILE, "op": HOSTILE, "shape_in": [2, 2, 1], "shape_out": [2, 2, 1], "bits_w": 0, "bits_in": 3,
    "bits_out": 4, "pe": 1, "simd": 1, "stalls": "none", "cycles_predicted": 5,
    "cycles_ideal": 4, "first_output_predicted": 2,
    "frames": 1, "values_compared": 4, "hls_mismatches": 0, "rtl_mismatches": 1, "cycles": 6, "first_output": 2,
    "seconds": 0.5, "hls": "passed", "rtl": "failed", "hls_first": None,
    "rtl_first": {"frame": 0, "y": 1, "x": 0, "channel": 0, "expected": 3, "got": None},
    "problems": [HOSTILE], "waveform": HOSTILE, "waveform_cycle": 7,
}  # fmt: skip
NETWORK: dict[str, Any] = {
    "frames": 2, "frame_interval_ideal": 4, "stalls": "none", "values_compared": 8, "mismatches": 0, "mask_pixels": 8,
    "mask_mismatches": 0, "cycles": 9, "frame_interval": 4, "frame_interval_predicted": 4, "frame_interval_steady": 4,
    "first_output": 3, "first_output_predicted": 3,
    "layers": [{"name": HOSTILE, "values_compared": 8, "mismatches": 0, "first_cycle": 1, "last_cycle": 9}],
    "fifo_max_fill": {HOSTILE: [3, 2]}, "seconds": 1.0, "rtl": "passed", "first": None, "problems": [],
    "waveform": None, "waveform_cycle": None,
}  # fmt: skip
TENSOR: dict[str, Any] = {
    "name": HOSTILE, "type": "s2.0", "bits": 2, "values": 4, "codes": 1, "dead_codes": 3, "zero_share": 0.25,
    "saturated_share": 0.5, "channels": 1, "constant_channels": 1,
}  # fmt: skip
MADE: dict[str, Any] = {
    "quantunet": "0", "date": HOSTILE, "commit": None, "dirty": None, "options": {HOSTILE: [HOSTILE]},
    "versions": {HOSTILE: HOSTILE}, "sha256": {HOSTILE: HOSTILE, "image_file": None},
}  # fmt: skip
COSIM: dict[str, Any] = {
    "network": HOSTILE, "simulator": HOSTILE, "image": HOSTILE, "class_pixels": [], "passed": False, "seconds": 1.5,
    "layers": [LAYER], "network_rtl": NETWORK, "tensors": [TENSOR], "provenance": MADE,
}  # fmt: skip
PART: dict[str, Any] = {
    "name": HOSTILE, "op": HOSTILE, "macs": 1, "pe": 1, "simd": 1, "style": HOSTILE, "bits_w": 2, "bits_in": 3,
    "bits_out": 4, "cycles_predicted": 5, "lut": 6, "ff": 7, "dsp": 0, "bram": 8, "lutram": 0, "carry": 1,
    "logic_depth": 3, "longest_path": [HOSTILE, HOSTILE], "cells": {}, "memories": [], "concerns": [HOSTILE],
    "seconds": 0.1, "memory_mib": 20, "cached": False,
}  # fmt: skip
TOTAL: dict[str, Any] = {
    "macs": 1, "cycles_predicted_max": 5, "lut": 6, "ff": 7, "dsp": 0, "bram": 8, "lutram": 0, "carry": 1,
    "logic_depth_max": 3,
}  # fmt: skip
SYNTH: dict[str, Any] = {
    "network": HOSTILE, "tool": HOSTILE, "family": HOSTILE, "board": None, "device": None, "passed": True,
    "problems": [HOSTILE], "fits": None, "seconds": 1.0, "layers": [PART], "plumbing": [], "total": TOTAL,
    "provenance": MADE,
}  # fmt: skip
VITIS: dict[str, Any] = {
    "network": HOSTILE, "tool": "vitis", "passed": False, "problems": [HOSTILE], "provenance": None,
    "layers": [{"name": HOSTILE, "lut": 1, "ff": 2, "dsp": 3, "bram_18k": 4, "latency": 5, "interval": 6,
                "clock_ns": 7.5}],
}  # fmt: skip
BITSTREAM: dict[str, Any] = {
    "network": HOSTILE, "board": HOSTILE, "device": HOSTILE, "top": HOSTILE, "frequency_mhz": 60.0, "tools": [HOSTILE],
    "passed": False, "problems": [HOSTILE], "fits": False,
    "cells": [{"kind": HOSTILE, "used": 9, "available": 6, "percent": 150.0}], "clocks": [], "best_seed": 1,
    "paths": None, "bitstream": None, "steps": [], "synthesis": {"lut": 4}, "provenance": MADE,
    "seeds": [{"seed": 1, "fits": False, "failure": HOSTILE, "clocks": [], "seconds": 1.0, "cpu_seconds": 1.0,
               "memory_mib": 5, "cached": False}],
}  # fmt: skip
SCORES: dict[str, Any] = {
    "images": 2, "lesion_images": 0, "dice": None, "iou": None, "accuracy": 1.0, "background_accuracy": 1.0,
    "clean_normals": 2, "false_positive_area": 0.0, "marked_normals": 0.0, "lesions_missed": 0, "hd95": None,
}  # fmt: skip
METRICS: dict[str, Any] = {
    "model": HOSTILE, "kind": "integer", "data": HOSTILE, "images": 2, "training_images": None, "note": HOSTILE,
    "seconds": 0.1, "images_per_second": 20.0, "smallest_area": 0, "smallest_areas": {}, "provenance": MADE,
    "parts": {"all": {"network": SCORES, "labels": {HOSTILE: SCORES}, "card": None}},
}  # fmt: skip
CLASSES: dict[str, Any] = {
    **{key: METRICS[key] for key in ("model", "kind", "data", "images", "seconds", "images_per_second", "provenance")},
    "parts": {"all": {"network": {"images": 2, "mean_dice": 0.5, "mean_iou": None, "accuracy": 0.75, "classes": [
        {"class": index, "name": HOSTILE, "images": 2, "dice": 0.5, "iou": None, "reference_pixels": 3,
         "predicted_pixels": 4} for index in range(3)]}}},
}  # fmt: skip
CARD: dict[str, Any] = {
    "name": HOSTILE, "training": {"command": HOSTILE, "signatures": [HOSTILE], "hours": 0.1},
    "data": {"source": HOSTILE, "parts": {HOSTILE: {"images": 2}}}, "provenance": MADE,
    "scores": {"note": HOSTILE, "float": {"val": SCORES, "test": SCORES}, "control": {"val": SCORES, "test": SCORES}},
}  # fmt: skip
HISTORY: list[dict[str, Any]] = [
    {
        "phase": phase,
        "epoch": 1,
        "loss": 0.5,
        "val_dice": float("nan"),
        "mean_bits": 4.0,
        "seconds": 1.0,
        "best": HOSTILE,
    }
    for phase in ("float", HOSTILE)
]


def hostile_picture() -> pictures.Picture:
    mask = np.eye(4, dtype=np.bool_)
    return pictures.case(Case(HOSTILE, np.zeros((4, 4, 1), np.uint8), mask, ~mask))


def hostile_wave() -> Page:
    """Return a page with a waveform whose signals have hostile names."""
    lanes = [Lane(f"{HOSTILE}_tvalid", 1, ["0", "1", "1"]), Lane("m_axis_tdata", 96, ["x", "f" * 24, "0" * 24])]
    return Page("cosim", HOSTILE, "differs", "bad", HOSTILE, [Section(HOSTILE, [Wave(HOSTILE, 99, 100, lanes)])])


PAGES: dict[str, Callable[[], Page]] = {
    "wave": hostile_wave,
    "cosim": lambda: cosim_page(COSIM, [hostile_picture()], {HOSTILE: [1, 0, 3, 0]}, "../../index.html", [HOSTILE] * 3),
    "hls_synth": lambda: hls_synth_page(SYNTH),
    "vitis": lambda: vitis_page(VITIS),
    "bitstream": lambda: bitstream_page(BITSTREAM),
    "evaluate": lambda: evaluate_page(METRICS, HOSTILE, {"worst": [hostile_picture()]}, np.array([0.5, np.nan])),
    "classes": lambda: evaluate_page(CLASSES, HOSTILE, {"worst": [hostile_picture()]}),
    "train": lambda: train_page(CARD, HISTORY, [hostile_picture()]),
}
