"""What is proven of the library: modules, their settings, and a fault for each that its proof must find."""

from __future__ import annotations

from helpers.proof_frame_cases import FRAME_FAULTS, FRAME_SETTINGS, seeded, settings
from helpers.proofs import Seeded, Setting

ADAPTER = ((1, 2, 2), (2, 1, 2), (2, 2, 2), (2, 3, 6), (3, 2, 6), (1, 4, 4), (4, 1, 4), (1, 3, 3), (3, 1, 3))
WIDE_ADAPTER = ((4, 6, 12), (6, 4, 12))
DEEP = {"FifoShallow": 1}
"""Makes every FIFO a deep one: a memory of banks and a prefetch of four beats."""


_ADAPTER = ("qun_width_adapter", "InLanes OutLanes GroupLanes")
_REQUANT = ("qun_requant", "InBits InSigned Shift OutBits OutSigned")
_ROUNDING = ("qun_requant_pkg", "Width Shift OutBits OutSigned")

SETTINGS: tuple[Setting, ...] = (
    *(Setting("qun_register_slice", {"Bits": bits}) for bits in (2, 9)),
    *(Setting("qun_fork", {"Bits": 2, "Outputs": outputs}) for outputs in (1, 2, 3, 4)),
    Setting("qun_fork", {"Bits": 9, "Outputs": 2}),
    *(Setting("qun_fifo", {"Bits": 2, "Depth": depth}, slow=depth > 4) for depth in (2, 3, 4, 5, 8)),
    Setting("qun_fifo", {"Bits": 2, "Depth": 3, "FrameBeats": 3}),
    Setting("qun_fifo", {"Bits": 9, "Depth": 3}),
    *(Setting("qun_fifo", {"Bits": 2, "Depth": depth, "Latency": 4}, DEEP, slow=depth > 2) for depth in (2, 3, 4)),
    Setting("qun_fifo", {"Bits": 2, "Depth": 3, "FrameBeats": 3, "Latency": 4}, {**DEEP, "SplitDepth": 2}, slow=True),
    *(Setting("qun_credit_fifo", {"Depth": depth, "Latency": wait}, slow=depth * wait > 6)
      for depth, wait in ((2, 1), (2, 3), (4, 1), (4, 3))),
    *settings(*_ADAPTER, *ADAPTER),
    *settings(*_ADAPTER, *WIDE_ADAPTER, slow=True),
    *settings("qun_row_repeat", "Height Width InFolds OutFolds",
              (2, 2, 1, 1), (2, 2, 2, 1), (2, 2, 1, 2), (2, 1, 1, 1)),
    *settings("qun_concat", "SkipGroups UpGroups", (1, 1), (1, 2), (2, 1), (3, 2)),
    *settings(*_REQUANT, (8, 1, 3, 4, 1), (6, 1, 2, 3, 0), (8, 0, 3, 4, 0), (4, 0, -2, 5, 1), (12, 1, 5, 6, 1)),
    *settings(*_ROUNDING, (12, 3, 4, 1), (12, 3, 4, 0), (20, 5, 6, 1), (12, -3, 8, 0), (17, 8, 8, 1), (20, 0, 6, 0),
              (24, 10, 8, 0), (30, 17, 5, 1), (12, 9, 1, 0), (12, 9, 1, 1), (40, 20, 16, 0), (48, 30, 8, 1)),
    *FRAME_SETTINGS,
)  # fmt: skip
"""All proofs of the table in docs/proofs.md."""


def setting(module: str, **values: int) -> Setting:
    """Return the one setting of a module that has these values among its parameters and constants."""
    wanted = values.items()
    (found,) = [
        each for each in SETTINGS if each.module == module and wanted == {**each.parameters, **each.constants}.items()
    ]
    return found


SLICE = setting("qun_register_slice", Bits=2)
FORK = setting("qun_fork", Bits=2, Outputs=2)
FIFO = setting("qun_fifo", Bits=2, Depth=3)
COUNTED_FIFO = setting("qun_fifo", Bits=2, Depth=3, FrameBeats=3)
DEEP_FIFO = setting("qun_fifo", Bits=2, Depth=2, Latency=4, FifoShallow=1)
CREDIT = setting("qun_credit_fifo", Depth=2, Latency=3)
WIDER = setting("qun_width_adapter", InLanes=1, OutLanes=2, GroupLanes=2)
NARROWER = setting("qun_width_adapter", InLanes=2, OutLanes=1, GroupLanes=2)
CONCAT = setting("qun_concat", SkipGroups=2, UpGroups=1)
LONG_CONCAT = setting("qun_concat", SkipGroups=3, UpGroups=2)
ROW_REPEAT = setting("qun_row_repeat", Height=2, Width=2, InFolds=1, OutFolds=1)
REQUANT = setting("qun_requant", InBits=8, InSigned=1, Shift=3, OutBits=4, OutSigned=1)
ROUNDING = setting("qun_requant_pkg", Width=12, Shift=3, OutBits=4, OutSigned=1)

FAULTS: tuple[Seeded, ...] = (
    seeded("the skid register is forgotten", "qun_register_slice", "out_q <= skid_valid_q ? skid_q : s_data;",
           "out_q <= s_data;", "none_lost_or_overtaken", SLICE),
    seeded("waits for a ready reader", "qun_register_slice", "if (m_ready || !out_valid_q) begin",
           "if (m_ready) begin", "answer_in_time", SLICE),
    seeded("the offer falls after a refusal", "qun_register_slice", "assign m_valid = out_valid_q;",
           "assign m_valid = out_valid_q && !skid_valid_q;", "offer_held", SLICE),
    seeded("tlast is lost", "qun_fork", "assign m_axis_tlast  = {Outputs{last}};",
           "assign m_axis_tlast  = '0;", "last_with_its_beat", FORK),
    seeded("served readers must be ready again", "qun_fork", "assign done = &(served_q | m_axis_tready);",
           "assign done = &m_axis_tready;", "ready_in_time", FORK),
    seeded("a beat is offered again to who has it", "qun_fork", "{Outputs{valid}} & ~served_q",
           "{Outputs{valid}}", "none_doubled", FORK),
    seeded("ready one cycle too long", "qun_fifo", "ready_q <= level_d != limit;",
           "ready_q <= level_q != limit;", "no_overflow", FIFO),
    seeded("the level forgets what leaves with what comes", "qun_fifo",
           "level_q + LevelBits'(push) - LevelBits'(pop)", "push ? level_q + 1'b1 : level_q - LevelBits'(pop)",
           "level_right", FIFO),
    seeded("the frame ends one beat early", "qun_fifo", "BeatBits'(FrameBeats - 1)",
           "BeatBits'(FrameBeats - 2)", "last_ends_frame", COUNTED_FIFO),
    seeded("a word is read while it is written", "qun_fifo", "assign read = stored_q != '0 &&",
           "assign read = (stored_q != '0 || push) &&", "no_collision", DEEP_FIFO),
    seeded("reads underway have no place", "qun_fifo", "claimed_q <= claimed_q + 3'(read) - 3'(pop);",
           "claimed_q <= filled_q;", "prefetch_has_place", DEEP_FIFO),
    seeded("a credit too many", "qun_credit_fifo", "credit_q <= credits_q != (AddrBits + 1)'(1);",
           "credit_q <= credits_q != '0;", "no_overflow", CREDIT),
    seeded("the pop with a take is forgotten", "qun_credit_fifo", "if (take && !pop) begin",
           "if (take) begin", "credit_where_a_place_is_free", CREDIT),
    seeded("lanes change places", "qun_width_adapter", "assign complete  = {in_data, collected_q};",
           "assign complete  = {collected_q, in_data};", "lanes_in_order", WIDER),
    seeded("tlast from the first beat of a group on", "qun_width_adapter",
           "assign out_last = group_last_q && final_beat;", "assign out_last = group_last_q;",
           "last_ends_its_group", NARROWER),
    seeded("a group is loaded over one that waits", "qun_width_adapter",
           "assign in_ready = !completes || !group_valid_q || emptied;", "assign in_ready = 1'b1;",
           "group_is_kept", WIDER),
    seeded("the legs change one group late", "qun_concat", "assign up = group_q >= GroupBits'(SkipGroups);",
           "assign up = group_q > GroupBits'(SkipGroups);", "legs_in_turn", LONG_CONCAT),
    seeded("the skip leg is ready in the other's turn", "qun_concat", "assign s_axis_skip_tready = ready && !up;",
           "assign s_axis_skip_tready = ready;", "in_order_and_none_lost", CONCAT),
    seeded("tlast of the skip leg's groups too", "qun_concat", "{1'b0, s_axis_skip_tdata}",
           "{s_axis_up_tlast, s_axis_skip_tdata}", "last_with_its_beat", CONCAT),
    seeded("the ring is never full", "qun_row_repeat", "assign s_axis_tready = fill_q != fill_t'(RingPixels);",
           "assign s_axis_tready = 1'b1;", "fill_in_range", ROW_REPEAT),
    seeded("the second reading has the first one's weights", "qun_row_repeat",
           "weight_addr_q <= ky_q ? '0 : WeightAddrBits'(RowWeights);", "weight_addr_q <= '0;",
           "right_weight", ROW_REPEAT),
    seeded("the first row is read again in place of each", "qun_row_repeat", "          row_addr_q <= next_addr;",
           "          row_addr_q <= '0;", "right_word", ROW_REPEAT),
    seeded("a place is lost", "qun_requant", ".s_valid(s_axis_tvalid),", ".s_valid(s_axis_tvalid && m_axis_tready),",
           "none_lost_or_invented", REQUANT),
    seeded("the sign is forgotten", "qun_requant", "automatic logic sign = InSigned && raw[InBits-1];",
           "automatic logic sign = 1'b0;", "not_too_high", REQUANT),
    seeded("ties go up", "qun_requant_pkg", "(below != 0 || (quotient & 64'sd1) != 0)",
           "1'b1", "not_too_high", REQUANT),
    seeded("ties go up", "qun_requant_pkg", "(below != 0 || (quotient & 64'sd1) != 0)",
           "1'b1", "rounded_not_too_high", ROUNDING),
    seeded("the most is rounded up", "qun_requant_pkg", "(up && quotient != most)",
           "up", "rounded_in_range", ROUNDING),
    seeded("floors towards zero", "qun_requant_pkg", "longint quotient = sum >>> shift;",
           "longint quotient = sum / (64'sd1 << shift);", "floored_not_too_high", ROUNDING),
    *FRAME_FAULTS,
)  # fmt: skip
"""Each property that a fault violates is named; at least one fault for every module."""
