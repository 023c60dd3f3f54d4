// SPDX-License-Identifier: Apache-2.0
//
// Folded matrix-vector unit: multiplies Pe x Simd weights a cycle, adds the bias, requantises.
//
// Latency: 7 cycles from a fold's last tap to its beat; 8 with more weight words than one block RAM holds.
// Throughput: one tap a cycle.
// Lanes: lane 0 of a tap or beat in its least significant bits.
//
// A fold is a run of taps, the first and the last of them marked, that makes one beat of Pe results. A fold may start
// when `fold_ready` is set and its taps then come at any pace: nothing in the datapath stalls.

`include "qun_assert.svh"

`default_nettype none

module qun_matrix_vector #(
    /// Folds of a pixel, and words of the bias file [1 or more]
    parameter int unsigned OutFolds = 1,
    /// Words of the weight file [1 or more]
    parameter int unsigned WeightDepth = 1,
    /// Results of a fold: lanes of an output beat [1 or more]
    parameter int unsigned Pe = 1,
    /// Products of a tap for each result: lanes of a tap [1 or more]
    parameter int unsigned Simd = 1,
    /// Bits of an input channel [1 to 16]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Bits of a weight, which is signed [1 to 16]
    parameter int unsigned WeightBits = 8,
    /// Bits of the signed sum of all products and the bias [1 to 62, enough for the largest sum]
    parameter int unsigned AccBits = 24,
    /// Binary places that requantisation drops; below 0, that it adds [AccBits + max(-Shift, 1) below 64]
    parameter int Shift = 0,
    /// Bits of an output channel [1 to 16, or enough for every sum: up to 48]
    parameter int unsigned OutBits = 8,
    /// Whether output channels are signed [0 or 1]
    parameter bit OutSigned = 1'b0,
    /// Whether multiplications go to hard multipliers [0 or 1]
    parameter bit HardProducts = 1'b1,
    /// Whether one multiplier makes two products [0 or 1; 1 where qun_pair_products can]
    parameter bit PairProducts = 1'b0,
    /// Memory file of the weights [name of a file; docs/streams.md]
    parameter string WeightFile = "",
    /// Memory file of the biases [name of a file; docs/streams.md]
    parameter string BiasFile = "",
    localparam int unsigned WeightAddrBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1,
    localparam int unsigned BiasAddrBits = (OutFolds > 1) ? $clog2(OutFolds) : 1
) (
    input  wire logic                      clk,
    input  wire logic                      rst_n,
    output logic                           fold_ready,
    input  wire logic                      tap_valid,
    input  wire logic                      tap_first,
    input  wire logic                      tap_last,
    input  wire logic                      tap_frame_last,
    input  wire logic [WeightAddrBits-1:0] tap_weight_addr,
    input  wire logic [  BiasAddrBits-1:0] tap_bias_addr,
    input  wire logic [   Simd*InBits-1:0] tap_data_q,         // a cycle after the rest of the tap
    input  wire logic                      tap_zero_q,         // padding: the data counts as zero
    output logic      [    Pe*OutBits-1:0] m_axis_tdata,
    output logic                           m_axis_tvalid,
    input  wire logic                      m_axis_tready,
    output logic                           m_axis_tlast
);

  typedef int totals_t[Pe];
  typedef logic signed [AccBits-1:0] accs_t[Pe];

  typedef struct packed {
    logic first;
    logic last;
    logic frame_last;
    logic [BiasAddrBits-1:0] bias_addr;
  } control_t;

  // A deep table of weights is several block RAMs and a multiplexer: it has a register more, and so have the taps.
  localparam bit Deep = WeightDepth > qun_device_pkg::DeepTable;
  logic step_valid;
  control_t tap_control, step_control;
  logic [Simd*InBits-1:0] step_data_q;
  logic step_zero_q;

  assign tap_control = '{tap_first, tap_last, tap_frame_last, tap_bias_addr};

  if (Deep) begin : gen_step
    always_ff @(posedge clk) begin
      step_valid <= tap_valid;
      if (step_valid) begin
        step_data_q <= tap_data_q;
        step_zero_q <= tap_zero_q;
      end
      if (tap_valid) begin
        step_control <= tap_control;
      end
      if (!rst_n) begin
        step_valid <= 1'b0;
      end
    end
  end else begin : gen_no_step
    assign step_valid   = tap_valid;
    assign step_control = tap_control;
    assign step_data_q  = tap_data_q;
    assign step_zero_q  = tap_zero_q;
  end

  // Control beside the datapath: stage s is valid when valid_q[s] is set.
  localparam int unsigned Stages = 6;
  logic [Stages:1] valid_q;
  control_t [5:1] control_q;

  logic [Pe*Simd*WeightBits-1:0] weight_word_q;  // stage 1
  totals_t totals_q;  // stage 4
  logic [Pe*AccBits-1:0] bias_word_q;  // stage 3
  accs_t biases_q;  // stage 4
  accs_t accs_q;  // stage 5
  logic [Pe*OutBits-1:0] result_q;  // stage 6
  logic result_last_q;

  // The stages after the products. They write their registers in place, since a simulator would copy
  // results, and the loop over Pe is the innermost one, since that is what it vectorises.
  function automatic void split_biases();
    // verilator unroll_disable
    for (int unsigned p = 0; p < Pe; p++) begin
      biases_q[p] = bias_word_q[p*AccBits+:AccBits];
    end
  endfunction

  function automatic void accumulate(logic first);
    // verilator unroll_disable
    for (int unsigned p = 0; p < Pe; p++) begin
      accs_q[p] = (first ? biases_q[p] : accs_q[p]) + AccBits'(totals_q[p]);
    end
  endfunction

  function automatic logic [Pe*OutBits-1:0] requantise();
    // verilator unroll_disable
    for (int unsigned p = 0; p < Pe; p++) begin
      requantise[p*OutBits+:OutBits] = OutBits'(qun_requant_pkg::round_saturate(
          64'(accs_q[p]), Shift, OutBits, OutSigned
      ));
    end
  endfunction

  qun_rom #(
      .Bits          (Pe * Simd * WeightBits),
      .Depth         (WeightDepth),
      .OutputRegister(Deep),
      .File          (WeightFile)
  ) u_weights (
      .clk,
      .read  (tap_valid),
      .addr  (tap_weight_addr),
      .data_q(weight_word_q)
  );

  if (PairProducts) begin : gen_pairs
    qun_pair_products #(
        .Pe        (Pe),
        .Simd      (Simd),
        .InBits    (InBits),
        .InSigned  (InSigned),
        .WeightBits(WeightBits)
    ) u_products (
        .clk,
        .word_valid    (valid_q[1]),
        .weight_word   (weight_word_q),
        .inputs        (step_zero_q ? '0 : step_data_q),
        .products_valid(valid_q[2]),
        .sums_valid    (valid_q[3]),
        .totals_q
    );
  end else begin : gen_lanes
    qun_lane_products #(
        .Pe          (Pe),
        .Simd        (Simd),
        .InBits      (InBits),
        .InSigned    (InSigned),
        .WeightBits  (WeightBits),
        .HardProducts(HardProducts)
    ) u_products (
        .clk,
        .word_valid    (valid_q[1]),
        .weight_word   (weight_word_q),
        .inputs        (step_zero_q ? '0 : step_data_q),
        .products_valid(valid_q[2]),
        .sums_valid    (valid_q[3]),
        .totals_q
    );
  end

  qun_rom #(
      .Bits (Pe * AccBits),
      .Depth(OutFolds),
      .File (BiasFile)
  ) u_biases (
      .clk,
      .read  (valid_q[2] && control_q[2].first),
      .addr  (control_q[2].bias_addr),
      .data_q(bias_word_q)
  );

  always_ff @(posedge clk) begin
    valid_q <= {valid_q[5] && control_q[5].last, valid_q[4:1], step_valid};
    if (!rst_n) begin
      valid_q <= '0;
    end
  end

  // The last stage comes first: a simulator then reads each register before it is written and keeps
  // no second copy.
  always_ff @(posedge clk) begin
    if (valid_q[5] && control_q[5].last) begin
      result_q <= requantise();
      result_last_q <= control_q[5].frame_last;
    end
    if (valid_q[4]) begin
      control_q[5] <= control_q[4];
      accumulate(control_q[4].first);
    end
    if (valid_q[3]) begin
      control_q[4] <= control_q[3];
      if (control_q[3].first) begin
        split_biases();
      end
    end
    if (valid_q[2]) begin
      control_q[3] <= control_q[2];
    end
    if (valid_q[1]) begin
      control_q[2] <= control_q[1];
    end
    if (step_valid) begin
      control_q[1] <= step_control;
    end
  end

  qun_credit_fifo #(
      .Bits(Pe * OutBits)
  ) u_out (
      .clk,
      .rst_n,
      .credit   (fold_ready),
      .take     (tap_valid && tap_first),
      .push     (valid_q[6]),
      .push_data(result_q),
      .push_last(result_last_q),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast
  );

`ifdef QUN_ASSERT_ACTIVE
  logic in_fold_q;  // a fold has begun and not ended
  bit overflow_q;

  function automatic bit overflows(logic first);
    bit any = 1'b0;
    // verilator unroll_disable
    for (int unsigned p = 0; p < Pe; p++) begin
      longint sum = (first ? 64'(biases_q[p]) : 64'(accs_q[p])) + 64'(totals_q[p]);
      any = any | (sum != 64'(AccBits'(sum)));
    end
    return any;
  endfunction

  always_ff @(posedge clk) begin
    overflow_q <= valid_q[4] && overflows(control_q[4].first);
    if (tap_valid) begin
      in_fold_q <= !tap_last;
    end
    if (!rst_n) begin
      in_fold_q <= 1'b0;
    end
  end
`endif
  `QUN_ASSERT(first_begins_fold, !tap_valid || tap_first != in_fold_q,
              "a fold began within another, or without a first tap")
  `QUN_ASSERT(sums_fit, !overflow_q, "a sum does not fit the accumulator")

endmodule

`default_nettype wire
