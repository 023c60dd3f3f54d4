// SPDX-License-Identifier: Apache-2.0
//
// The library's assertions as properties to prove, in place of hls/rtl/qun_assert.svh, and the macros of the harnesses.
//
// A wire `wrong_<name>` is 1 where a property does not hold, and `seen_<name>` where a cover point is reached; the proof
// finds them by these names. Registers start with any value: the first cycle of a proof is a reset, and what must hold
// always is looked at from the second one on.

`ifndef QUN_ASSERT_SVH
`define QUN_ASSERT_SVH

`define QUN_ASSERT_ACTIVE

`define QUN_ASSERT_ALWAYS(name, condition, message) \
  logic awake_``name = 1'b0; \
  always @(posedge clk) awake_``name <= 1'b1; \
  (* keep *) wire logic wrong_``name = awake_``name && !(condition);

`define QUN_ASSERT(name, condition, message) \
  (* keep *) wire logic wrong_``name = rst_n && !(condition);

`define QUN_ASSERT_STREAM(name, valid, ready, payload) \
  logic waits_``name; \
  logic [$bits(payload)-1:0] offer_``name; \
  always @(posedge clk) begin \
    waits_``name <= rst_n && valid && !ready; \
    if (valid && !ready) offer_``name <= payload; \
  end \
  `QUN_ASSERT(name, !waits_``name || (valid && payload == offer_``name), "")

// The first cycle is a reset; any other may be one too, by the harness's input `reset`.
`define PROOF_RESET \
  logic awake = 1'b0; \
  logic rst_n; \
  always_ff @(posedge clk) awake <= 1'b1; \
  assign rst_n = awake && !reset;

// The ports of a module with one stream in and one out, to signals with the names of the checkers' ports.
`define PROOF_PORTS \
  .clk, .rst_n, \
  .s_axis_tdata(s_data), .s_axis_tvalid(s_valid), .s_axis_tready(s_ready), .s_axis_tlast(s_last), \
  .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready), .m_axis_tlast(m_last)

// Those of a module with two streams in and one out.
`define PROOF_JOIN_PORTS \
  .clk, .rst_n, \
  .s_axis_first_tdata(first_data), .s_axis_first_tvalid(first_valid), .s_axis_first_tready(first_ready), \
  .s_axis_first_tlast(first_last), .s_axis_second_tdata(second_data), .s_axis_second_tvalid(second_valid), \
  .s_axis_second_tready(second_ready), .s_axis_second_tlast(second_last), \
  .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready), .m_axis_tlast(m_last)

// A writer keeps AXI4-Stream's rule: a beat on offer stays and does not change.
`define PROOF_WRITER(name, valid, ready, payload) \
  logic held_``name; \
  logic [$bits(payload)-1:0] offer_``name; \
  always_ff @(posedge clk) begin \
    held_``name <= rst_n && valid && !ready; \
    offer_``name <= payload; \
  end \
  always_comb if (rst_n && held_``name) assume (valid && payload == offer_``name);

`define PROOF_PROPERTY(name, condition) \
  (* keep *) wire logic wrong_``name = rst_n && !(condition);

`define PROOF_COVER(name, condition) \
  (* keep *) wire logic seen_``name = rst_n && (condition);

`endif
