// SPDX-License-Identifier: Apache-2.0
//
// Assertions of the library, one macro each; nothing is left of them unless QUN_ASSERT_ON is defined, nor in a synthesis.
//
// A simulation asks for them with -DQUN_ASSERT_ON (Verilator: with --assert too). A broken promise is an $error that names
// the instance, the promise and what it says, once an instance; the simulation goes on. `condition` is looked at when
// `clk` rises. Code that only assertions need stands between `ifdef QUN_ASSERT_ACTIVE and `endif.

`ifndef QUN_ASSERT_SVH
`define QUN_ASSERT_SVH

`ifdef QUN_ASSERT_ON
`ifndef SYNTHESIS
`define QUN_ASSERT_ACTIVE
`endif
`endif

`ifdef QUN_ASSERT_ACTIVE

// `condition` holds in every cycle, also while the module is reset. What a simulation does in every cycle is to look at the
// condition, and no more.
`define QUN_ASSERT_ALWAYS(name, condition, message) \
  bit told_``name; \
  always @(posedge clk) begin : name \
    /* verilator lint_off CMPCONST */ \
    /* verilator lint_off BLKSEQ */ \
    if ((condition) === 1'b0) begin \
      if (!told_``name) begin \
        told_``name = 1'b1; \
        assert (0) else $error("%s", message); \
      end \
    end \
    /* verilator lint_on BLKSEQ */ \
    /* verilator lint_on CMPCONST */ \
  end

// `condition` holds in every cycle that is not a reset.
`define QUN_ASSERT(name, condition, message) \
  bit told_``name; \
  always @(posedge clk) begin : name \
    /* verilator lint_off CMPCONST */ \
    /* verilator lint_off BLKSEQ */ \
    if ((condition) !== 1'b1) begin \
      if (rst_n && !told_``name) begin \
        told_``name = 1'b1; \
        assert (0) else $error("%s", message); \
      end \
    end \
    /* verilator lint_on BLKSEQ */ \
    /* verilator lint_on CMPCONST */ \
  end

// A beat that waits stays on offer and does not change: AXI4-Stream's rule.
`define QUN_ASSERT_STREAM(name, valid, ready, payload) \
  logic waits_``name; \
  logic [$bits(payload)-1:0] offer_``name; \
  always @(posedge clk) begin \
    waits_``name <= rst_n && valid && !ready; \
    if (valid && !ready) offer_``name <= payload; \
  end \
  `QUN_ASSERT(name, !waits_``name || (valid && payload == offer_``name), \
              "a beat that waited was taken back or changed")

`else

`define QUN_ASSERT_ALWAYS(name, condition, message)
`define QUN_ASSERT(name, condition, message)
`define QUN_ASSERT_STREAM(name, valid, ready, payload)

`endif

`endif
