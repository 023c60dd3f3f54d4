"""Faults put into copies of the hardware, to see that a check finds them; one table of all that the library gets.

``nox -s faults`` runs them all; ``tests/rtl_sim/test_faults.py`` sees in every run of the tests that each still fits.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.streams import binary_file

_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


class MisfitError(ValueError):
    """A fault does not fit the library: what it replaces is not there, or is there at other places too."""


@dataclass(frozen=True)
class Fault:
    """One wrong piece of text in one module of the library.

    Attributes:
        bench: What must find it, a row of ``helpers.fault_benches.BENCHES``.
        name: What is wrong, in words.
        module: The module, and its file's stem.
        right: Code that stands in it; comments do not count. As short as it can be, so that other lines may change.
        wrong: What stands there instead.
        times: How often ``right`` stands in the module; all of them are replaced.
    """

    bench: str
    name: str
    module: str
    right: str
    wrong: str
    times: int = 1

    def __str__(self) -> str:
        return f"{self.bench}: {self.name}"

    def put_into(self, text: str) -> str:
        """Return a module's text with the fault in it.

        Raises:
            MisfitError: The right text does not stand in the code as often as it should.
        """
        code = _COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else " " * len(found[0]), text)
        places = [found.start() for found in re.finditer(re.escape(self.right), code)]
        if self.right == self.wrong:
            msg = f"fault {str(self)!r} changes nothing"
            raise MisfitError(msg)
        if len(places) != self.times:
            msg = f"fault {str(self)!r}: {self.module}.sv holds {self.right!r} {len(places)} times, not {self.times}"
            raise MisfitError(msg)
        for place in reversed(places):
            text = text[:place] + self.wrong + text[place + len(self.right) :]
        return text


def damaged_module(fault: Fault) -> str:
    """Return the text of a fault's module with the fault in it.

    Raises:
        MisfitError: The fault does not fit.
    """
    file = RTL_FOLDER / f"{fault.module}.sv"
    if not file.is_file():
        msg = f"fault {str(fault)!r}: the library has no {file.name}"
        raise MisfitError(msg)
    return fault.put_into(file.read_text(encoding="utf-8"))


def misfits(faults: Sequence[Fault]) -> list[str]:
    """Return what is wrong with each fault that does not fit the library."""
    found = []
    for each in faults:
        try:
            damaged_module(each)
        except MisfitError as error:
            found.append(str(error))
    return found


def library_with(folder: Path, fault: Fault | None) -> Path:
    """Copy the library into a new folder, with a fault in it.

    Raises:
        MisfitError: The fault does not fit.
    """
    text = damaged_module(fault) if fault else ""
    shutil.copytree(RTL_FOLDER, folder)
    if fault:
        (folder / f"{fault.module}.sv").write_text(text, encoding="utf-8")
    return folder


def library_with_text(folder: Path, file: str, right: str, wrong: str) -> Path:
    """Copy the library into a new folder, with a text that stands once in a file, a comment perhaps, replaced."""
    shutil.copytree(RTL_FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(right) == 1, f"{file} holds {right!r} {text.count(right)} times"
    (folder / file).write_text(text.replace(right, wrong), encoding="utf-8")
    return folder


def fault(bench: str, name: str) -> Fault:
    """Return a row of the table."""
    (found,) = (each for each in FAULTS if (each.bench, each.name) == (bench, name))
    return found


def flip_nibble(path: Path, line: int = 0, digit: int = 0) -> None:
    """Flip the bits of one hexadecimal digit of a memory, in the text that synthesis reads and in the packed binary."""
    lines = path.read_text(encoding="utf-8").splitlines()
    flipped = f"{int(lines[line][digit], 16) ^ 0xF:x}"
    lines[line] = lines[line][:digit] + flipped + lines[line][digit + 1 :]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    even = len(lines[0]) % 2 * "0"
    binary_file(path).write_bytes(bytes.fromhex("".join(even + word for word in lines)))


FAULTS: tuple[Fault, ...] = (
    Fault(
        "conv2d",
        "ties always up",
        "qun_requant_pkg",
        "(below != 0 || (quotient & 64'sd1) != 0)",
        "(below != 0 || 1'b1)",
    ),
    Fault(
        "conv2d",
        "saturation wraps",
        "qun_requant_pkg",
        "return (quotient >= 0) ? most : out_signed ? ~most : 64'sd0;",
        "return quotient + 64'(up);",
    ),
    Fault(
        "conv2d", "swapped lanes", "qun_lane_products", "weight_word[(p*Groups+g)*", "weight_word[((Pe-1-p)*Groups+g)*"
    ),
    Fault(
        "conv2d",
        "the bias forgotten",
        "qun_matrix_vector",
        "accs_q[p] = (first ? biases_q[p] : accs_q[p])",
        "accs_q[p] = accs_q[p]",
    ),
    Fault(
        "conv2d",
        "tready always high",
        "qun_sliding_window",
        "s_axis_tready = fill_q != fill_t'(FillMax)",
        "s_axis_tready = 1'b1",
    ),
    Fault("conv2d", "padding not zero", "qun_sliding_window", "tap_zero_q <= zero", "tap_zero_q <= 1'b0"),
    Fault("conv2d", "starts a pixel too early", "qun_sliding_window", "1 : Width + 2", "1 : Width + 1"),
    Fault("conv2d", "credits ignored", "qun_credit_fifo", "assign credit = credit_q", "assign credit = 1'b1"),
    Fault(
        "conv2d",
        "tlast never",
        "qun_matrix_vector",
        "result_last_q <= control_q[5].frame_last",
        "result_last_q <= 1'b0",
    ),
    Fault(
        "conv2d",
        "one cycle late",
        "qun_credit_fifo",
        "m_axis_tvalid = write_q != read_q",
        "m_axis_tvalid = write_q - read_q > 1",
    ),
    Fault("conv2d_constant", "tlast never", "qun_conv2d_constant", "{last_q[SumLatency:0], take_last}", "'0"),
    Fault(
        "conv2d_constant",
        "one cycle late",
        "qun_conv2d_constant",
        "push     (valid_q[SumLatency+1])",
        "push     (valid_q[SumLatency])",
    ),
    Fault(
        "conv2d_constant",
        "credits ignored",
        "qun_credit_fifo",
        "assign credit = credit_q",
        "assign credit = 1'b1",
    ),
    Fault(
        "conv2d_constant",
        "left edge not zero",
        "qun_pixel_window",
        "middle_place_q.first ? '0 :",
        "middle_place_q.first && 1'b0 ? '0 :",
    ),
    Fault(
        "conv2d_constant",
        "right edge not zero",
        "qun_pixel_window",
        "middle_place_q.last ? '0 :",
        "middle_place_q.last && 1'b0 ? '0 :",
    ),
    Fault(
        "conv2d_constant", "row above not zero", "qun_pixel_window", "top_zero_q ? '0 :", "top_zero_q && 1'b0 ? '0 :"
    ),
    Fault(
        "conv2d_constant",
        "row below not zero",
        "qun_pixel_window",
        "bottom_zero_q ? '0 :",
        "bottom_zero_q && 1'b0 ? '0 :",
    ),
    Fault(
        "conv2d_constant",
        "the next frame loads too early",
        "qun_pixel_window",
        "(loaded_q != LoadBits'(x_q) || fetch)",
        "1'b1",
    ),
    Fault(
        "conv2d_constant",
        "the next frame waits",
        "qun_pixel_window",
        "load_ready = y_last ?",
        "load_ready = y_last ? 1'b0 && ",
    ),
    Fault(
        "conv2d_constant",
        "fetches before there is room",
        "qun_pixel_window",
        "room = !fetched_valid_q || move",
        "room = 1'b1",
    ),
    Fault(
        "conv2d_constant",
        "takes before the next column",
        "qun_pixel_window",
        "(fetched_valid_q || middle_place_q.last)",
        "1'b1",
    ),
    Fault(
        "conv_transpose2d",
        "ties always down",
        "qun_requant_pkg",
        "(below != 0 || (quotient & 64'sd1) != 0)",
        "below != 0",
    ),
    Fault(
        "conv_transpose2d",
        "swapped lanes",
        "qun_lane_products",
        "weight_word[(p*Groups+g)*",
        "weight_word[((Pe-1-p)*Groups+g)*",
    ),
    Fault(
        "conv_transpose2d",
        "tready always high",
        "qun_row_repeat",
        "s_axis_tready = fill_q != fill_t'(RingPixels)",
        "s_axis_tready = 1'b1",
    ),
    Fault(
        "conv_transpose2d",
        "reads what is not there",
        "qun_row_repeat",
        "stored_q <= write_pixel || 32'(fill_q) != 32'(x_q) + 1",
        "stored_q <= 1'b1",
    ),
    Fault(
        "conv_transpose2d",
        "kernel rows swapped",
        "qun_row_repeat",
        "weight_addr_q <= ky_q ? WeightAddrBits'(RowWeights) : '0",
        "weight_addr_q <= '0",
    ),
    Fault(
        "conv_transpose2d",
        "credits ignored",
        "qun_credit_fifo",
        "assign credit = credit_q",
        "assign credit = 1'b1",
    ),
    Fault("window_conv2d", "tready always high", "qun_window", "s_axis_tready = room_q != '0", "s_axis_tready = 1'b1"),
    Fault(
        "window_conv2d",
        "starts a pixel too early",
        "qun_window",
        "fold_ready && stored",
        "fold_ready && (stored || missing_q == '0)",
    ),
    Fault(
        "window_conv2d",
        "groups meet",
        "qun_window",
        "group_end ? wrap_add(fold_addr_q, GroupIn % RingWords) : fold_addr_q",
        "fold_addr_q",
    ),
    Fault(
        "window_conv2d",
        "rows given up that are read again",
        "qun_window",
        "!y_last && RowSteps[phase_y_q] == 0",
        "1'b0",
    ),
    Fault(
        "window_conv2d",
        "a pixel too many given up",
        "qun_window",
        "freed = count_t'(LineSteps[phase_y_q])",
        "freed = count_t'(LineSteps[phase_y_q] + 1)",
    ),
    Fault(
        "window_conv2d",
        "pixels that no window reads are kept",
        "qun_window",
        "freed = count_t'(FrameStep)",
        "freed = count_t'(FrameStep - 1)",
    ),
    Fault(
        "window_conv2d",
        "weights of another phase",
        "qun_window",
        "WeightAddrBits'(RowWords[next_phase_y])",
        "WeightAddrBits'(RowWords[phase_y_q])",
    ),
    Fault("window_conv2d", "phase kept in reset", "qun_window", "phase_y_q <= '0;", ""),
    Fault(
        "window_conv2d",
        "dilation ignored",
        "qun_window",
        "(DilationW * InFolds - GroupIn + 1)",
        "(InFolds - GroupIn + 1)",
    ),
    Fault("window_conv2d", "the next frame at another place", "qun_window", "y_last ? FrameWords :", "y_last ? 0 :"),
    Fault(
        "pair_products",
        "the borrow forgotten",
        "qun_pair_products",
        "(signed'(pair) >>> Gap) + borrow",
        "signed'(pair) >>> Gap",
    ),
    Fault(
        "pair_products",
        "no room for the sums",
        "qun_pair_products",
        "+ $clog2(SplitLanes);",
        "+ $clog2((SplitLanes + 1) / 2);",
    ),
    Fault(
        "pair_products",
        "the signs of the weights forgotten",
        "qun_pair_products",
        "input_sum_q <= sum_inputs();",
        "input_sum_q <= 0;",
    ),
    Fault(
        "pair_products", "pairs swapped", "qun_pair_products", "sum_lanes[p+Pairs] = high", "sum_lanes[Pe-1-p] = high"
    ),
    Fault("maxpool2d", "signs ignored", "qun_maxpool2d", "{Signed, {(Bits - 1) {1'b0}}}", "'0"),
    Fault(
        "maxpool2d",
        "lanes swapped",
        "qun_maxpool2d",
        "lane_b = b[lane*Bits+:Bits]",
        "lane_b = b[(Lanes-1-lane)*Bits+:Bits]",
    ),
    Fault("maxpool2d", "rows never meet", "qun_maxpool2d", "below_r_q <= below_q;", "below_r_q <= above_q;"),
    Fault(
        "maxpool2d",
        "tready always high",
        "qun_maxpool2d",
        "assign s_axis_tready = move;",
        "assign s_axis_tready = 1'b1;",
    ),
    Fault("maxpool2d", "row parity kept in reset", "qun_maxpool2d", "odd_row_q <= 1'b0;", ""),
    Fault(
        "maxpool2d",
        "a cycle more",
        "qun_maxpool2d",
        "row_valid_q <= {row_valid_q[0], pair_valid_q[2] && pair_odd_row_q[2]};",
        "row_valid_q <= {row_valid_q[0], pair_valid_q[1] && pair_odd_row_q[1]};",
    ),
    Fault("pad", "nothing waits for a frame", "qun_pad", "(begun_q && !real_beat)", "!real_beat"),
    Fault("pad", "the next frame's padding runs ahead", "qun_pad", "begun_q <= !m_axis_tlast;", "begun_q <= 1'b1;"),
    Fault("pad", "the constant in one lane alone", "qun_pad", "{Lanes{Bits'(Value)}}", "(Lanes*Bits)'(Value)"),
    Fault("pad", "a beat is lost behind padding", "qun_pad", "m_axis_tready && real_beat", "m_axis_tready"),
    Fault("crop", "a dropped beat waits", "qun_crop", "room || !keep", "room"),
    Fault("crop", "tlast of the input", "qun_crop", "({keep_last, s_axis_tdata})", "({s_axis_tlast, s_axis_tdata})"),
    Fault(
        "crop",
        "tready always high",
        "qun_crop",
        "assign s_axis_tready = room || !keep;",
        "assign s_axis_tready = 1'b1;",
    ),
    Fault(
        "crop",
        "the first row is kept in reset",
        "qun_rectangle",
        "row_inside_q <= FirstRow == 0;",
        "row_inside_q <= 1'b1;",
    ),
    Fault("pad", "the image a beat later in its row", "qun_rectangle", "FirstBeat - 1 :", "FirstBeat :"),
    Fault("resize_nearest", "a row's first repeat alone", "qun_resize_nearest", "pass_q != '0 || ", ""),
    Fault(
        "resize_nearest",
        "repeats go on to the next pixel",
        "qun_resize_nearest",
        "addr_q <= pixel_addr_q;",
        "addr_q <= next_of(addr_q);",
    ),
    Fault(
        "resize_nearest",
        "a pixel is given up in the first pass",
        "qun_resize_nearest",
        "read && pixel_end && pass_last",
        "read && pixel_end && pass_q == '0",
    ),
    Fault(
        "resize_nearest",
        "a place less",
        "qun_resize_nearest",
        "assign s_axis_tready = fill_q != fill_t'(RingPixels);",
        "assign s_axis_tready = fill_q < fill_t'(RingPixels - 1);",
    ),
    Fault("resize_nearest", "the word is not held", "qun_resize_nearest", "(!word_valid_q || room)", "1'b1"),
    Fault("resize_bilinear", "weights 1 and 2", "qun_interpolate", "other + one + (one << 1)", "other + (one << 1)"),
    Fault("resize_bilinear", "signs ignored", "qun_interpolate", "{2{Signed && heavy[Bits-1]}}", "2'b00"),
    Fault(
        "resize_bilinear",
        "the passes in the other order",
        "qun_interpolate",
        "pair_last || second_q) ? bank_q",
        "pair_last || !second_q) ? bank_q",
    ),
    Fault(
        "resize_bilinear",
        "an item is given up too early",
        "qun_interpolate",
        "last_use = pair_last || (second_q && !pair_first)",
        "last_use = pair_last || (!second_q && !pair_first)",
    ),
    Fault("resize_bilinear", "one place for a pixel", "qun_interpolate", "(Beats > 1) ? 1 : 2", "1"),
    Fault("resize_bilinear", "the pass kept in reset", "qun_interpolate", "second_q <= 1'b1;", ""),
    Fault(
        "depth_to_space",
        "the place does not move",
        "qun_stride_address",
        "stride_q <= next_stride_q;",
        "stride_q <= stride_q;",
    ),
    Fault(
        "depth_to_space", "the turn is one too late", "qun_stride_address", "(Blocks - 1) * Words;", "Blocks * Words;"
    ),
    Fault(
        "depth_to_space",
        "the next line begins too early",
        "qun_depth_to_space",
        "assign read = ahead_q > 0 &&",
        "assign read = fill_q != '0 &&",
    ),
    Fault("depth_to_space", "the stride kept in reset", "qun_stride_address", "stride_q <= addr_t'(Step * Words);", ""),
    Fault("global_pool2d", "signs ignored", "qun_global_pool2d", "{Signed, {(OutBits - 1) {1'b0}}}", "'0"),
    Fault(
        "global_pool2d",
        "an image goes on with the last one's words",
        "qun_global_pool2d",
        "place_q[2].first ? extended(beat_r_q) : combined",
        "combined",
    ),
    Fault("global_pool2d", "another group's word", "qun_global_pool2d", "before_q[Groups-1]", "before_q[1]"),
    Fault("global_pool2d", "every pixel leaves", "qun_global_pool2d", "valid_q[3] && place_q[3].last", "valid_q[3]"),
    Fault("global_pool2d", "position kept in reset", "qun_global_pool2d", "pixel_q <= '0;", ""),
    Fault(
        "global_pool2d",
        "a word is read before it is written",
        "qun_global_pool2d",
        "(move && valid_q[3])",
        "(move && valid_q[3] && !place_q[3].first)",
    ),
    Fault("window_pool2d", "signs ignored", "qun_window_pool2d", "{Signed, {(OutBits - 1) {1'b0}}}", "'0"),
    Fault("window_pool2d", "a window goes on with the last one", "qun_window_pool2d", "(first ? '0 : held)", "held"),
    Fault(
        "window_pool2d",
        "sign not extended",
        "qun_window_pool2d",
        "Signed ? OutBits'(signed'(raw)) : OutBits'(raw)",
        "OutBits'(raw)",
    ),
    Fault("window_pool2d", "every tap leaves", "qun_window_pool2d", "valid_q[2] && control_q[2].last", "valid_q[2]"),
    Fault("window_pool2d", "tlast never", "qun_window_pool2d", "<= control_q[2].frame_last", "<= 1'b0"),
    Fault("window_pool2d", "credits ignored", "qun_credit_fifo", "assign credit = credit_q", "assign credit = 1'b1"),
    Fault(
        "depthwise_conv2d",
        "swapped lanes",
        "qun_depthwise_conv2d",
        "weights_q[lane*WeightBits",
        "weights_q[(Lanes-1-lane)*WeightBits",
    ),
    Fault(
        "depthwise_conv2d",
        "the bias forgotten",
        "qun_depthwise_conv2d",
        "(first ? biases_q[lane] : accs_q[lane])",
        "accs_q[lane]",
    ),
    Fault("depthwise_conv2d", "the next bias", "qun_depthwise_conv2d", "(control_q[1].group)", "(tap_out_fold)"),
    Fault(
        "depthwise_conv2d",
        "sign not extended",
        "qun_depthwise_conv2d",
        "InSigned ? int'(signed'(raw)) : int'(raw)",
        "int'(raw)",
    ),
    Fault("depthwise_conv2d", "tlast never", "qun_depthwise_conv2d", "<= control_q[4].frame_last", "<= 1'b0"),
    Fault(
        "depthwise_conv2d",
        "ties always up",
        "qun_requant_pkg",
        "(below != 0 || (quotient & 64'sd1) != 0)",
        "(below != 0 || 1'b1)",
    ),
    Fault(
        "requant",
        "ties always up",
        "qun_requant_pkg",
        "(below != 0 || (quotient & 64'sd1) != 0)",
        "(below != 0 || 1'b1)",
    ),
    Fault("requant", "sign not extended", "qun_requant", "InSigned && raw[InBits-1]", "1'b0"),
    Fault(
        "requant",
        "lanes swapped",
        "qun_requant",
        "raw = s_axis_tdata[lane*InBits",
        "raw = s_axis_tdata[(Lanes-1-lane)*InBits",
    ),
    Fault("requant", "skid ignored", "qun_register_slice", "assign s_ready = !skid_valid_q;", "assign s_ready = 1'b1;"),
    Fault("requant", "data not held", "qun_register_slice", "if (m_ready || !out_valid_q) begin", "if (1'b1) begin"),
    Fault("requant", "tlast lost", "qun_requant", ".s_data ({s_axis_tlast, result})", ".s_data ({1'b0, result})"),
    Fault(
        "concat",
        "up leg first",
        "qun_concat",
        "assign up = group_q >= GroupBits'(SkipGroups);",
        "assign up = group_q < GroupBits'(Groups - SkipGroups);",
    ),
    Fault("concat", "position kept in reset", "qun_concat", "group_q <= '0;", ""),
    Fault(
        "concat",
        "both legs taken",
        "qun_concat",
        "assign s_axis_skip_tready = ready && !up;",
        "assign s_axis_skip_tready = ready;",
    ),
    Fault(
        "add",
        "a beat of one stream alone",
        "qun_add",
        "assign both = s_axis_first_tvalid && s_axis_second_tvalid",
        "assign both = s_axis_first_tvalid",
    ),
    Fault("add", "scales not met", "qun_add", "weighted(second, SecondShift,", "weighted(second, 0,"),
    Fault("add", "sign not extended", "qun_add", "SecondSigned && second_raw[SecondBits-1]", "1'b0"),
    Fault("maximum", "sign not seen", "qun_maximum", "Signed ? Bits'(1) << (Bits - 1) : '0", "'0"),
    Fault(
        "maximum",
        "a beat of one stream alone",
        "qun_maximum",
        "assign both = s_axis_first_tvalid && s_axis_second_tvalid",
        "assign both = s_axis_second_tvalid",
    ),
    Fault("maximum", "the lesser", "qun_maximum", "? second : first", "? first : second"),
    Fault("multiply", "sign not extended", "qun_multiply", "SecondSigned && second_raw[SecondBits-1]", "1'b0"),
    Fault(
        "multiply",
        "gate taken with every beat",
        "qun_multiply",
        "assign s_axis_second_tready = ready && s_axis_first_tvalid && group_last",
        "assign s_axis_second_tready = ready && s_axis_first_tvalid",
    ),
    Fault("multiply", "position kept in reset", "qun_multiply", "group_q <= '0;", ""),
    Fault("argmax", "the last of equals", "qun_argmax", "first.value < second.value", "first.value <= second.value"),
    Fault("argmax", "sign not seen", "qun_argmax", "InSigned ? InBits'(1) << (InBits - 1) : '0", "'0"),
    Fault("argmax", "position kept in reset", "qun_argmax", "group_q <= '0;", ""),
    Fault("argmax", "best of the pixel before", "qun_argmax", "(group_q == '0) ? found", "1'b0 ? found"),
    Fault("argmax", "tree not held", "qun_argmax", "assign s_axis_tready = move;", "assign s_axis_tready = 1'b1;"),
    Fault(
        "smallest_area",
        "a pixel less is enough",
        "qun_smallest_area",
        ".s_data (missing == '0)",
        ".s_data (32'(missing) <= 1)",
    ),
    Fault("smallest_area", "last pixel not counted", "qun_smallest_area", "missing == '0", "missing_q == '0"),
    Fault(
        "smallest_area",
        "count goes on from frame to frame",
        "qun_smallest_area",
        "s_axis_tlast ? count_t'(Area) : missing",
        "missing",
    ),
    Fault("smallest_area", "count kept in reset", "qun_smallest_area", "      missing_q <= count_t'(Area);\n", ""),
    Fault(
        "smallest_area",
        "pixels counted that nobody took",
        "qun_smallest_area",
        "take = s_axis_tvalid && s_axis_tready",
        "take = s_axis_tvalid",
    ),
    Fault(
        "smallest_area",
        "first pixels leave before the verdict",
        "qun_smallest_area",
        "= stored_valid && judged",
        "= stored_valid",
    ),
    Fault(
        "smallest_area",
        "verdict given up with the first pixel",
        "qun_smallest_area",
        "stored_valid && stored_last)",
        "stored_valid)",
    ),
    Fault(
        "smallest_area",
        "verdict given up while its last pixel waits",
        "qun_smallest_area",
        "(m_axis_tready && stored_valid && stored_last)",
        "(stored_valid && stored_last)",
    ),
    Fault("smallest_area", "small masks are filled", "qun_smallest_area", "stored && kept", "stored || !kept"),
    Fault(
        "smallest_area",
        "two places less",
        "qun_smallest_area",
        "Places = Pixels;",
        "Places = Pixels > 3 ? Pixels - 2 : 2;",
    ),
    Fault("lookup", "lanes swapped", "qun_lookup", "(s_axis_tdata[lane*InBits", "(s_axis_tdata[(Lanes-1-lane)*InBits"),
    Fault("lookup", "table read while it waits", "qun_lookup", "move && s_axis_tvalid", "s_axis_tvalid"),
    Fault("lookup", "tready always high", "qun_lookup", "assign s_axis_tready = move;", "assign s_axis_tready = 1'b1;"),
    Fault("affine", "branch of the other values", "qun_affine", "value_of(raw) < ", "value_of(raw) >= "),
    Fault("affine", "branches of the neighbour", "qun_affine", "raw = beat_q[lane*InBits+:", "raw = beat_q[0+:"),
    Fault("affine", "constants of the first group", "qun_affine", ".addr  (group_q)", ".addr  ('0)"),
    Fault("affine", "group kept in reset", "qun_affine", "group_q <= '0;", ""),
    Fault("affine", "constants read while it waits", "qun_affine", ".read  (take)", ".read  (s_axis_tvalid)"),
    Fault("affine", "offset lost", "qun_affine", "product_offsets[lane] <= offsets[lane];", ""),
    Fault("affine", "low bound lost", "qun_affine", "low ? OutBits'(Low) :", "low ? OutBits'(results_q[lane]) :"),
    Fault("affine", "high bound lost", "qun_affine", "HasHigh && 64'", "1'b0 && 64'"),
    Fault("affine", "clamps where it wraps", "qun_affine", "Wraps ? 62 : int'(LimitBits)", "int'(LimitBits)"),
    Fault("affine", "rounds down always", "qun_affine", "(OutBits + 1)'(Even ? ", "(OutBits + 1)'(1'b0 ? "),
    Fault("affine", "clamps nothing", "qun_requant_pkg", "if (wraps || above == 0", "if (1'b1 || above == 0"),
    Fault("add_gains", "difference the other way", "qun_add", "(gain == -1) ? -scaled", "(gain == -1) ? scaled"),
    Fault(
        "add_gains",
        "gains swapped",
        "qun_add",
        "weighted(first, FirstShift, FirstGain)",
        "weighted(first, FirstShift, SecondGain)",
    ),
    Fault("fork", "beats given twice", "qun_fork", "{Outputs{valid}} & ~served_q", "{Outputs{valid}}"),
    Fault(
        "fork", "outputs wait for one another", "qun_fork", "{Outputs{valid}} & ~served_q", "{Outputs{valid && done}}"
    ),
    Fault("fork", "served kept in reset", "qun_fork", "served_q <= '0;", ""),
    Fault("fifo", "one beat too many", "qun_fifo", "level_d != limit", "level_q != limit"),
    Fault("fifo", "one beat too few", "qun_fifo", "level_d != limit", "level_d < limit - 1'b1"),
    Fault("fifo", "prefetch overrun", "qun_fifo", "claimed_q != 3'd4", "1'b1"),
    Fault("fifo", "prefetch too short", "qun_fifo", "claimed_q != 3'd4", "claimed_q != 3'd3"),
    Fault(
        "fifo",
        "wraps at a power of two",
        "qun_fifo",
        "read_addr_q <= (read_addr_q == AddrBits'(LastAddr)) ? '0 : read_addr_q + 1'b1;",
        "read_addr_q <= read_addr_q + 1'b1;",
    ),
    Fault("fifo", "frame end a beat early", "qun_fifo", "BeatBits'(FrameBeats - 1)", "BeatBits'(FrameBeats - 2)"),
    Fault("fifo_deep", "always the first bank", "qun_banked_ram", "word_r_q[bank_r_q]", "word_r_q[0]"),
    Fault(
        "fifo_deep",
        "bank of the next word",
        "qun_banked_ram",
        "bank_r_q <= bank_q",
        "bank_r_q <= BankBits'(32'(read_addr) / BankDepth)",
    ),
    Fault(
        "fifo_deep",
        "second part of a word from the first",
        "qun_banked_ram",
        "write_data[From+:Wide]",
        "write_data[0+:Wide]",
    ),
    Fault("resize_nearest_deep", "second part of a word lost", "qun_ram", "{rest_q, word_q}", "{Rest'(0), word_q}"),
    Fault(
        "width_adapter", "groups overwritten", "qun_width_adapter", "!completes || !group_valid_q || emptied", "1'b1"
    ),
    Fault(
        "width_adapter",
        "lanes in the wrong order",
        "qun_width_adapter",
        "{in_data, collected_q}",
        "{collected_q, in_data}",
    ),
    Fault("width_adapter", "count kept in reset", "qun_width_adapter", " count_q <= '0;", "", times=2),
    Fault(
        "width_adapter",
        "a gap between groups",
        "qun_width_adapter",
        "!completes || !group_valid_q || emptied",
        "!completes || !group_valid_q",
    ),
    Fault(
        "cosim",
        "swapped lane",
        "qun_lane_products",
        "input_lane(inputs_q[g], lane)",
        "input_lane(inputs_q[g], GroupLanes - 1 - lane)",
    ),
    Fault(
        "cosim",
        "dropped tready",
        "qun_sliding_window",
        "s_axis_tready = fill_q != fill_t'(FillMax)",
        "s_axis_tready = 1'b1",
    ),
    Fault("cosim", "wrong rounding", "qun_requant_pkg", "(quotient & 64'sd1) != 0", "(quotient & 64'sd1) == 0"),
    Fault("serial", "bits looked at where they end", "qun_uart_rx", "phase_t'(PeriodCycles / 2)", "'0"),
    Fault("serial", "parts of a cycle lost", "qun_uart_tx", "phase - phase_t'(PeriodCycles)", "'0"),
    Fault("serial", "another check", "qun_crc32_pkg", "32'hEDB8_8320", "32'hEDB8_8321"),
    Fault("serial", "wrong checks pass", "qun_serial_deframer", "crc_q == Residue && ", ""),
    Fault("serial", "escapes not undone", "qun_serial_deframer", "escaped_q ? s_data ^ Mark : s_data", "s_data"),
    Fault("serial", "flags within a frame", "qun_serial_framer", "data == Flag || data == Escape", "data == Escape"),
    Fault("serial", "damaged blocks stay", "qun_block_buffer", "fill_q  <= kept_q;", ""),
    Fault(
        "serial",
        "a full ring not seen",
        "qun_block_buffer",
        "kind_q == KindBlock && !place_left && state_q != StKind",
        "1'b0",
    ),
    Fault("serial", "a picture left unfinished", "qun_picture_feeder", "(drained && !open)", "1'b0"),
    Fault("serial", "an unfinished picture's result sent", "qun_picture_feeder", "drop = drop_q;", "drop = 1'b0;"),
    Fault("serial", "blocks taken told behind the result", "qun_serial_reply", "error_q || taken_q;", "error_q;"),
    Fault("serial", "every part the first", "qun_serial_reply", "part_q <= part_q + 1'b1;", ""),
    Fault("serial", "pixels of the byte before", "qun_mask_bytes", "(place_q == '0) ? 8'd0 : bits_q", "bits_q"),
    Fault("serial", "silence for ever", "qun_serial_device", "silent_q == SilenceBits'(SilenceCycles)", "1'b0"),
    Fault("serial_values", "bytes upside down", "qun_byte_beats", "{s_data, bytes_q} >> 8", "{bytes_q, s_data}"),
    Fault("serial_values", "signs lost", "qun_value_bytes", "Signed && ", "1'b0 && "),
    Fault("network", "a layer that gives nothing", "qun_concat", ".m_valid(m_axis_tvalid)", ".m_valid()"),
)
