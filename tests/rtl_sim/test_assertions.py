"""Every assertion of the library and of the streams' checker speaks where its promise is broken, and only there.

The faults of one round stand side by side in one copy of the library, one for each module.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers import op_cases, serial_device
from helpers.benches.cases import TOP, Case, layer_case, write_cases
from helpers.matrix_cases import Layer, case_of, window_conv2d_cases
from helpers.rtl import BUILD_ROOT

from quantunet.errors import ToolFailedError
from quantunet.hls.design import Fold
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.ir import QType, Tensor
from quantunet.random_network import GraphBuilder
from quantunet.rtl_sim import verilator

BENCH = "helpers.benches.tb_assertions"

Fault = tuple[str, str, str, str]
"""File, text that stands in it once, what to write instead, and the assertion that speaks."""

ROUNDS: dict[str, tuple[Fault, ...]] = {
    "counters": (
        ("qun_concat.sv", "(group_q == GroupBits'(Groups - 1)) ? '0 :", "", "group_in_range"),
        ("qun_affine.sv", "(group_q == GroupBits'(Groups - 1)) ? '0 :", "", "frames_end_with_groups"),
        ("qun_add.sv", "_second_tready = ready && s_axis_first_tvalid", "_second_tready = ready", "frames_meet"),
        ("qun_fifo.sv", "(write_addr_q == AddrBits'(LastAddr)) ? '0 :", "", "addresses_in_range"),
        ("qun_fork.sv", "done ? '0 : served_q", "served_q", "served_a_beat"),
        ("qun_global_pool2d.sv", "= pixel_q == PixelBits'(Pixels - 1)", "= 1'b0", "last_ends_image"),
        ("qun_interpolate.sv", "= write_beat_q == BeatBits'(Beats - 1)", "= 1'b0", "last_ends_item"),
        ("qun_maxpool2d.sv", "last_pair ? '0 : pair_q", "pair_q", "counters_in_range"),
        ("qun_pixel_window.sv", "x_q <= x_last ? '0 : x_q + 1'b1", "x_q <= x_q + 1'b1", "access_in_range"),
        ("qun_row_repeat.sv", "line_end ? '0 : x_q + 1'b1", "x_q + 1'b1", "counters_in_range"),
        ("qun_sliding_window.sv", "weight_addr_q <= pixel_end ? '0 :", "weight_addr_q <=", "address_in_range"),
        ("qun_sliding_window.sv", "_addr <= wrap_add(row_addr_q, Width * InFolds)", "_addr <= '0", "next_addr_in_time"),
        ("qun_smallest_area.sv", "s_axis_tdata[0] && missing_q != '0", "s_axis_tdata[0]", "missing_in_range"),
        ("qun_width_adapter.sv", "= count_q == CountBits'(InBeats - 1)", "= 1'b0", "last_ends_group"),
    ),
    "credits": (
        ("qun_matrix_vector.sv", ".take     (tap_valid && tap_first)", ".take     (1'b0)", "push_has_credit"),
        ("qun_fifo.sv", "ready_q <= level_d != limit", "ready_q <= 1'b1", "level_within_depth"),
        ("qun_row_repeat.sv", "(fold_ready && stored_q)", "fold_ready", "tap_is_stored"),
        ("qun_sliding_window.sv", "first_q <= window_end", "first_q <= row_end", "flags_follow"),
        (
            "qun_credit_fifo.sv",
            "credits_q != (AddrBits + 1)'(1)",
            "credits_q != (AddrBits + 1)'(Depth)",
            "credit_is_counted",
        ),
        ("qun_maxpool2d.sv", "odd_row_q <= !odd_row_q", "odd_row_q <= 1'b0", "last_ends_row_pair"),
        ("qun_concat.sv", "group_q >= GroupBits'(SkipGroups)", "group_q != '0", "last_ends_pixel"),
        ("qun_width_adapter.sv", "in_ready = !completes ||", "in_ready = 1'b1 ||", "group_is_kept"),
        ("qun_lookup.sv", "    if (move) begin\n", "    begin\n", "input_waits"),
        ("qun_smallest_area.sv", "(m_axis_tready && stored_valid && stored_last)", "(1'b0)", "verdict_has_place"),
        ("qun_rectangle.sv", "        row_inside_d = 1'b1;", "        row_inside_d = 1'b0;", "flags_fit_counters"),
    ),
    "memories": (
        ("qun_credit_fifo.sv", "else if (pop && !take)", "else if (pop)", "credits_in_range"),
        (
            "qun_sliding_window.sv",
            "s_axis_tready = fill_q != fill_t'(FillMax)",
            "s_axis_tready = 1'b1",
            "fill_in_range",
        ),
        ("qun_fifo.sv", "stored_q != '0 && claimed_q != 3'd4", "stored_q != '0", "prefetch_has_place"),
        ("qun_maxpool2d.sv", "(take && odd_column_q),\n      .read_addr", "(take),\n      .read_addr", "no_collision"),
        ("qun_row_repeat.sv", "tap_last = fold_end", "tap_last = 1'b0", "first_begins_fold"),
        ("qun_row_repeat.sv", "stored_q <= 1'b0", "stored_q <= 1'b1", "stored_follows"),
        ("qun_window.sv", "s_axis_tready = room_q != '0", "s_axis_tready = 1'b1", "counts_in_range"),
        ("qun_fork.sv", "{Outputs{valid}} & ~served_q", "{Outputs{valid}} & ~served_q & m_axis_tready", "check"),
        ("qun_register_slice.sv", "if (m_ready || !out_valid_q)", "if (m_ready)", "skid_behind_beat"),
    ),
    "sums": (
        ("qun_matrix_vector.sv", "accs_q[p] = (first ? biases_q[p] : accs_q[p])", "accs_q[p] = accs_q[p]", "sums_fit"),
        ("qun_sliding_window.sv", "(fold_ready && reached_q[{y_last_q, x_last_q}])", "fold_ready", "tap_is_stored"),
        ("qun_row_repeat.sv", "(fold_ready && stored_q)", "stored_q", "take_has_credit"),
        ("qun_window.sv", "room_q <= room_q + freed -", "room_q <= room_q -", "window_fits"),
        (
            "qun_fifo.sv",
            "stored_q + LevelBits'(push) - LevelBits'(read)",
            "stored_q + LevelBits'(push)",
            "stored_within_level",
        ),
        ("qun_fifo.sv", "assign m_axis_tvalid = level_q != '0", "assign m_axis_tvalid = 1'b1", "read_has_beat"),
        ("qun_fork.sv", "{Outputs{last}}", "{Outputs{1'b0}}", "check"),
    ),
}

SERIAL_ROUNDS: dict[tuple[str, str], tuple[Fault, ...]] = {
    ("mask", "counters"): (
        ("qun_serial_deframer.sv", " || bytes_q == CountBits'(MostBytes)", "", "bytes_in_range"),
        ("qun_uart_rx.sv", "place_q != 4'd9 && ", "place_q != 4'd10 && ", "place_in_byte"),
        ("qun_uart_tx.sv", "4'd10;", "4'd11;", "bits_of_a_byte"),
    ),
    ("below", "frames"): (
        (
            "qun_serial_deframer.sv",
            "flag)) begin\n      begun_q <= 1'b0;",
            "flag)) begin\n      begun_q <= silence;",
            "hunt_without_frame",
        ),
        ("qun_picture_feeder.sv", "assign busy = busy_q;", "assign busy = 1'b0;", "result_of_picture"),
        ("qun_block_buffer.sv", "!= place_t'(Depth);", "!= place_t'(Depth + 1);", "ring_in_range"),
    ),
    ("below", "line"): (
        (
            "qun_serial_deframer.sv",
            "m_end <= begun_q && !silence;",
            "m_end <= begun_q; m_valid <= begun_q;",
            "end_without_byte",
        ),
        (
            "qun_uart_tx.sv",
            "left_q <= '0;\n      bits_q <= '1;",
            "left_q <= '0;\n      bits_q <= '0;",
            "silence_is_one",
        ),
        ("qun_serial_framer.sv", "if (m_valid && m_ready) begin", "if (m_valid) begin", "output_waits"),
    ),
    ("below", "pictures"): (
        ("qun_picture_feeder.sv", "LeftBits'(PictureBytes);", "LeftBits'(PictureBytes - 1);", "bytes_have_picture"),
    ),
    ("below", "results"): (
        (
            "qun_serial_reply.sv",
            "  left_q <= CountBits'(ResultBytes);\n      part_q <= '0;\n    end",
            "  left_q <= '1;\n    end",
            "result_in_range",
        ),
        ("qun_picture_feeder.sv", "busy_q <= 1'b1;", "busy_q <= 1'b0;", "result_has_picture"),
    ),
}
"""Faults of the serial side of a board, by the shape of the device and a name."""


CHECKED = {
    "counters": "a beat that waited changed",
    "memories": "a beat that waited was taken back",
    "sums": "tlast is wrong at beat",
}
"""What the checker of a stream says of the faults of a round."""


def cases() -> list[Case]:
    """Return a small case of every module; counts that are no powers of two, where a counter may leave its range."""
    conv = Layer((5, 6, 6), 6, pe=2, simd=2, source="u4", bits_w=4, target="u4")
    transpose = Layer((3, 5, 6), 6, pe=2, simd=2, source="u3", bits_w=3, target="u4", kernel=2)
    constant = Layer((4, 5, 2), 2, pe=2, simd=2, source="u3", bits_w=3, target="u4", style="constant")
    concat = GraphBuilder("net", 3, 5, 4, QType(3, False, 0), 0)
    concat.tensors.append(Tensor("up", (3, 5, 2), QType(3, False, 0)))
    concat.concat("concat", "image", "up")
    return [
        *(case_of(layer, seed) for seed, layer in enumerate((conv, transpose, constant))),
        op_cases.maxpool2d_cases()[1],
        layer_case(concat.build(("image", "up")), Fold(2, 2)),
        op_cases.add_cases()[0],
        op_cases.lookup_cases()[1],
        op_cases.maximum_cases()[0],
        op_cases.multiply_cases()[0],
        op_cases.argmax_cases()[0],
        op_cases.smallest_area_cases()[0],
        op_cases.affine_cases()[7],
        op_cases.fork_cases()[0],
        op_cases.fifo_cases()[1],
        op_cases.fifo_cases()[4],
        op_cases.width_adapter_cases()[0],
        op_cases.width_adapter_cases()[1],
        window_conv2d_cases()[0],
        op_cases.global_pool2d_cases()[1],
        op_cases.depthwise_conv2d_cases()[0],
        op_cases.pad_cases()[0],
        op_cases.crop_cases()[0],
        op_cases.resize_nearest_cases()[0],
        op_cases.resize_bilinear_cases()[0],
        op_cases.depth_to_space_cases()[0],
    ]


def broken(folder: Path, rtl_folder: Path = RTL_FOLDER) -> tuple[str, ...]:
    """Return the assertions that fail while frames move through every case."""
    sources = write_cases(cases(), folder, rtl_folder=rtl_folder)
    executable = verilator.build(sources, TOP, {}, BUILD_ROOT, flags=verilator.ASSERTIONS)
    return verilator.run_cocotb(executable, BENCH, TOP, folder, seed=1, check=False).broken


def faulty_library(folder: Path, faults: tuple[Fault, ...]) -> Path:
    """Copy the library with the faults of a round."""
    folder.mkdir()
    texts = {path.name: path.read_text(encoding="utf-8") for path in RTL_FOLDER.glob("*.sv*")}
    for file, right, wrong, _ in faults:
        assert texts[file].count(right) == 1, f"{file} holds {right!r} {texts[file].count(right)} times"
        texts[file] = texts[file].replace(right, wrong)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_nothing_is_broken_without_a_fault(tmp_path: Path) -> None:
    assert broken(tmp_path) == ()


@pytest.mark.parametrize("faults", ROUNDS)
def test_broken_promise_is_told(faults: str, tmp_path: Path) -> None:
    found = broken(tmp_path / "run", faulty_library(tmp_path / "rtl", ROUNDS[faults]))
    wanted = [name for *_, name in ROUNDS[faults]]
    missing = [name for name in wanted if not any(re.search(rf"\w*{name}: ", line) for line in found)]
    assert not missing, f"{missing} not in {found}"
    assert faults not in CHECKED or any("_check: stream c" in line and CHECKED[faults] in line for line in found)
    assert len(set(found)) == len(found) >= len(wanted) > 4


@pytest.mark.parametrize("shape, faults", SERIAL_ROUNDS)
def test_broken_promise_of_the_serial_side_is_told(shape: str, faults: str, tmp_path: Path) -> None:
    (found,) = [each for each in serial_device.SHAPES if each.name == shape]
    chosen = SERIAL_ROUNDS[shape, faults]
    library = faulty_library(tmp_path / "rtl", chosen)
    told = serial_device.simulate(found, tmp_path / "run", library, check=False).broken
    missing = [name for *_, name in chosen if not any(re.search(rf"\b{name}: ", line) for line in told)]
    assert not missing, f"{missing} not in {told}"


def test_every_assertion_of_the_library_is_tried() -> None:
    names = {
        name
        for path in RTL_FOLDER.glob("*.sv")
        for name in re.findall(r"`QUN_ASSERT\w*\((\w+),", path.read_text(encoding="utf-8"))
        if path.stem not in {"qun_frame_check", "qun_axi_lite_status"}  # tests of their own break them
    }
    rounds = [*ROUNDS.values(), *SERIAL_ROUNDS.values()]
    assert names - {name for faults in rounds for *_, name in faults} == set()
    assert len(names) > 15


def test_broken_promise_fails_a_bench_and_names_the_instance(tmp_path: Path) -> None:
    library = faulty_library(tmp_path / "rtl", ROUNDS["counters"])
    sources = write_cases(cases(), tmp_path, rtl_folder=library)
    executable = verilator.build(sources, TOP, {}, BUILD_ROOT, flags=verilator.ASSERTIONS)
    with pytest.raises(
        ToolFailedError, match=r"qun_op_cases\.u_c3\.counters_in_range: a counter left its range \(time"
    ):
        verilator.run_cocotb(executable, BENCH, TOP, tmp_path, seed=1)
