// SPDX-License-Identifier: Apache-2.0
//
// General requantisation with constants of each channel: limit(round((x * multiplier + offset) / 2**Shift)).
//
// Latency: 3 cycles; one more each for two branches, for multipliers, and for bounds of its own.
// Throughput: one beat a cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// A word of the constants belongs to one channel group. Each lane has, from the least significant bit on: the multiplier
// and the offset of x >= split; those below, where they differ; and the split, where it is not 0. All are signed.

`include "qun_assert.svh"

`default_nettype none

module qun_affine #(
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Words of the constants: channel groups, or 1 where all have the same constants [1 or more]
    parameter int unsigned Groups = 1,
    /// Bits of an input channel [1 to 48]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Sets of constants of a channel: one, or another one for values below its split [1 or 2]
    parameter int unsigned Branches = 1,
    /// Bits of a split; 0 where each is 0, and the sign decides [0 to 49]
    parameter int unsigned SplitBits = 0,
    /// Bits of a multiplier; 0 where each is 1, and nothing is multiplied [0 to 62]
    parameter int unsigned MultiplierBits = 8,
    /// Bits of an offset [1 to 63]
    parameter int unsigned OffsetBits = 8,
    /// Bits of the signed sum of product and offset [1 to 63, enough for the largest sum]
    parameter int unsigned SumBits = 24,
    /// Binary places of the sum that are dropped [0 to 62]
    parameter int Shift = 0,
    /// Whether it rounds half to even instead of down [0 or 1]
    parameter bit Even = 1'b0,
    /// Whether what does not fit the output wraps around instead of being clamped [0 or 1]
    parameter bit Wraps = 1'b0,
    /// Bits of the type to whose limits it clamps [1 to OutBits]
    parameter int unsigned LimitBits = 8,
    /// Whether that type is signed [0 or 1]
    parameter bit LimitSigned = 1'b0,
    /// Whether it clamps to Low as well, above the least of that type [0 or 1]
    parameter bit HasLow = 1'b0,
    /// The least output [where HasLow is set]
    parameter int Low = 0,
    /// Whether it clamps to High as well, below the greatest of that type [0 or 1]
    parameter bit HasHigh = 1'b0,
    /// The greatest output [where HasHigh is set]
    parameter int High = 0,
    /// Bits of an output channel [1 to 48]
    parameter int unsigned OutBits = 8,
    /// Memory file of the constants [name of a file; docs/streams.md]
    parameter string ConstantFile = ""
) (
    input  wire logic                     clk,
    input  wire logic                     rst_n,
    input  wire logic [ Lanes*InBits-1:0] s_axis_tdata,
    input  wire logic                     s_axis_tvalid,
    output logic                          s_axis_tready,
    input  wire logic                     s_axis_tlast,
    output logic      [Lanes*OutBits-1:0] m_axis_tdata,
    output logic                          m_axis_tvalid,
    input  wire logic                     m_axis_tready,
    output logic                          m_axis_tlast
);

  if (Branches == 2 && SplitBits == 0 && !InSigned) begin : gen_bad_branches
    $error("a branch for negative values needs a signed input");
  end

  localparam bit Multiplies = MultiplierBits > 0;
  localparam int unsigned FactorBits = Multiplies ? MultiplierBits : 2;
  localparam int unsigned ValueBits = InSigned ? InBits : InBits + 1;
  localparam int unsigned SetBits = MultiplierBits + OffsetBits;
  localparam int unsigned LaneBits = Branches * SetBits + SplitBits;
  localparam int unsigned SplitAt = (SplitBits > 0) ? Branches * SetBits : 0;
  localparam int unsigned SplitWidth = (SplitBits > 0) ? SplitBits : 1;
  localparam bit Bounds = HasLow || HasHigh;
  localparam int unsigned BoundStages = Bounds ? 1 : 0;
  localparam int unsigned GroupBits = (Groups > 1) ? $clog2(Groups) : 1;
  localparam int unsigned ChoiceStages = (Branches == 2) ? 1 : 0;
  localparam int unsigned ProductStages = Multiplies ? 1 : 0;
  localparam int unsigned Stages = 2 + ChoiceStages + ProductStages + BoundStages;
  localparam int unsigned SumStage = Stages - BoundStages;

  typedef logic signed [ValueBits-1:0] values_t[Lanes];
  typedef logic signed [FactorBits-1:0] factors_t[Lanes];
  typedef logic signed [OffsetBits-1:0] offsets_t[Lanes];
  typedef logic signed [SumBits-1:0] sums_t[Lanes];

  // The pipeline moves, with its gaps, whenever the output's register slice can take a beat.
  logic move;
  logic take;
  logic [Stages:1] valid_q;
  logic [Stages:1] last_q;
  assign s_axis_tready = move;
  assign take = s_axis_tvalid && move;

  always_ff @(posedge clk) begin
    if (move) begin
      valid_q <= {valid_q[Stages-1:1], s_axis_tvalid};
      last_q  <= {last_q[Stages-1:1], s_axis_tlast};
    end
    if (!rst_n) begin
      valid_q <= '0;
    end
  end

  // Stage 1: the beat, and the constants of its channel group.
  logic [Lanes*InBits-1:0] beat_q;
  logic [Lanes*LaneBits-1:0] word_q;
  logic [GroupBits-1:0] group_q;

  if (Groups > 1) begin : gen_groups
    always_ff @(posedge clk) begin
      if (take) begin
        group_q <= (group_q == GroupBits'(Groups - 1)) ? '0 : group_q + 1'b1;
      end
      if (!rst_n) begin
        group_q <= '0;
      end
    end
  end else begin : gen_group
    assign group_q = '0;
  end

  qun_rom #(
      .Bits (Lanes * LaneBits),
      .Depth(Groups),
      .File (ConstantFile)
  ) u_constants (
      .clk,
      .read  (take),
      .addr  (group_q),
      .data_q(word_q)
  );

  always_ff @(posedge clk) begin
    if (take) begin
      beat_q <= s_axis_tdata;
    end
  end

  // What of the word belongs to each lane: a register of its own where there is a choice.
  values_t  values;
  offsets_t offsets;
  // verilator lint_off UNUSEDSIGNAL
  factors_t factors;  // where there are any
  // verilator lint_on UNUSEDSIGNAL

  function automatic logic signed [ValueBits-1:0] value_of(logic [InBits-1:0] raw);
    return ValueBits'({InSigned && raw[InBits-1], raw});
  endfunction

  function automatic logic is_below(logic [InBits-1:0] raw, logic signed [SplitWidth-1:0] split);
    return (SplitBits == 0) ? raw[InBits-1] : value_of(raw) < ValueBits'(split);
  endfunction

  if (Branches == 2) begin : gen_choice
    always_ff @(posedge clk) begin
      if (move && valid_q[1]) begin
        // verilator unroll_disable
        for (int unsigned lane = 0; lane < Lanes; lane++) begin
          automatic logic [InBits-1:0] raw = beat_q[lane*InBits+:InBits];
          automatic logic below = is_below(raw, word_q[lane*LaneBits+SplitAt+:SplitWidth]);
          automatic
          logic [SetBits-1:0]
          set = below ? word_q[lane*LaneBits+SetBits+:SetBits] : word_q[lane*LaneBits+:SetBits];
          values[lane]  <= value_of(raw);
          factors[lane] <= Multiplies ? FactorBits'(set) : FactorBits'(1);
          offsets[lane] <= set[MultiplierBits+:OffsetBits];
        end
      end
    end
  end else begin : gen_no_choice
    always_comb begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        automatic logic [SetBits-1:0] set = word_q[lane*LaneBits+:SetBits];
        values[lane]  = value_of(beat_q[lane*InBits+:InBits]);
        factors[lane] = Multiplies ? FactorBits'(set) : FactorBits'(1);
        offsets[lane] = set[MultiplierBits+:OffsetBits];
      end
    end
  end

  // Products, whose bits beyond the sum's do not matter.
  sums_t products;
  offsets_t product_offsets;

  if (Multiplies) begin : gen_products
    always_ff @(posedge clk) begin
      if (move && valid_q[SumStage-2]) begin
        // verilator unroll_disable
        for (int unsigned lane = 0; lane < Lanes; lane++) begin
          products[lane] <= SumBits'(values[lane]) * SumBits'(factors[lane]);
          product_offsets[lane] <= offsets[lane];
        end
      end
    end
  end else begin : gen_no_products
    always_comb begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        products[lane] = SumBits'(values[lane]);
        product_offsets[lane] = offsets[lane];
      end
    end
  end

  // Sums, rounded and clamped to a type on their way into the next register.
  sums_t sums_q;

  always_ff @(posedge clk) begin
    if (move && valid_q[SumStage-1]) begin
      // verilator unroll_disable
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        sums_q[lane] <= products[lane] + SumBits'(product_offsets[lane]);
      end
    end
  end

  function automatic logic signed [OutBits:0] limited(logic signed [SumBits-1:0] sum);
    return (OutBits + 1)'(Even ? qun_requant_pkg::round_saturate(
        64'(sum), Shift, Wraps ? 62 : int'(LimitBits), Wraps || LimitSigned
    ) : qun_requant_pkg::shift_limit(
        64'(sum), Shift, int'(LimitBits), LimitSigned, Wraps));
  endfunction

  // Bounds of its own are held against values of the limits' type, in a stage behind a register of these.
  logic [Lanes*OutBits-1:0] result;

  if (Bounds) begin : gen_bounds
    typedef logic signed [OutBits:0] results_t[Lanes];
    results_t results_q;

    always_ff @(posedge clk) begin
      if (move && valid_q[SumStage]) begin
        // verilator unroll_disable
        for (int unsigned lane = 0; lane < Lanes; lane++) begin
          results_q[lane] <= limited(sums_q[lane]);
        end
      end
    end

    always_comb begin
      result = 'x;
      if (valid_q[Stages]) begin
        for (int unsigned lane = 0; lane < Lanes; lane++) begin
          automatic logic low = HasLow && 64'(results_q[lane]) < 64'(Low);
          automatic logic high = HasHigh && 64'(results_q[lane]) > 64'(High);
          result[lane*OutBits+:OutBits] = low ? OutBits'(Low) :
              high ? OutBits'(High) : OutBits'(results_q[lane]);
        end
      end
    end
  end else begin : gen_no_bounds
    // Without a beat the result does not matter, and a simulator need not compute it.
    always_comb begin
      result = 'x;
      if (valid_q[Stages]) begin
        for (int unsigned lane = 0; lane < Lanes; lane++) begin
          result[lane*OutBits+:OutBits] = OutBits'(limited(sums_q[lane]));
        end
      end
    end
  end

  qun_register_slice #(
      .Bits(Lanes * OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({last_q[Stages], result}),
      .s_valid(valid_q[Stages]),
      .s_ready(move),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(frames_end_with_groups, !take || !s_axis_tlast || group_q == GroupBits'(Groups - 1),
              "a frame ended within a pixel")

endmodule

`default_nettype wire
