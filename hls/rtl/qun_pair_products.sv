// SPDX-License-Identifier: Apache-2.0
//
// Products of Pe x Simd weights with Simd inputs, summed over the inputs, two products in one multiplier.
//
// Latency: 3 cycles from a weight word to its totals.
// Throughput: one word a cycle.
// Lanes: element p*Simd+s of the word is for output p and input s, element s of the inputs is input s.
//
// A multiplier makes (u[p] + u[p+Pairs] * 2**Gap) * x, where u = w + 2**(WeightBits-1) is a weight without its sign.
// Gap leaves room for the sum of SplitLanes such products, so that both sums are whole when they are split: the lower
// one is the Gap low bits, and where inputs are signed, the upper one lacks the borrow of a negative lower one.
// sum(w*x) is then sum(u*x) less 2**(WeightBits-1) * sum(x), which is the same for every p.

`default_nettype none

module qun_pair_products #(
    /// Sums computed at a time [2 or more, even]
    parameter int unsigned Pe = 2,
    /// Products in a sum [1 or more]
    parameter int unsigned Simd = 1,
    /// Bits of an input channel [2*WeightBits + InBits at most 18, signed 17]
    parameter int unsigned InBits = 4,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Bits of a weight, which is signed [2 or more; 2*WeightBits + InBits at most 18, signed 17]
    parameter int unsigned WeightBits = 4
) (
    input  wire logic                          clk,
    input  wire logic                          word_valid,         // the word and inputs are there
    input  wire logic [Pe*Simd*WeightBits-1:0] weight_word,
    input  wire logic [       Simd*InBits-1:0] inputs,
    input  wire logic                          products_valid,     // one cycle after word_valid
    input  wire logic                          sums_valid,         // two cycles after
    output int                            totals_q      [Pe]
);

  // An operand of a pair has 18 bits, of which a signed product needs one as its sign.
  localparam int unsigned OperandBits = InSigned ? 17 : 18;
  localparam int unsigned Pairs = Pe / 2;
  localparam int unsigned PairBits = 2 * WeightBits + InBits;

  if (Pe % 2 != 0 || WeightBits < 2 || PairBits > OperandBits) begin : gen_bad_pair
    $error("Pe must be even, and two weights of 2 bits or more and an input must fit in 18 bits");
  end

  localparam int unsigned Room = (PairBits < OperandBits) ? OperandBits - PairBits : 0;
  localparam int unsigned SplitLanes = (Simd < (1 << Room)) ? Simd : (1 << Room);
  localparam int unsigned Gap = WeightBits + InBits + $clog2(SplitLanes);
  localparam int unsigned SumLanes = (SplitLanes > 1) ? 2 : 1;
  localparam int unsigned Sums = (Simd + SumLanes - 1) / SumLanes;
  localparam int unsigned SplitSums = (SplitLanes + SumLanes - 1) / SumLanes;
  localparam int unsigned Splits = (Sums + SplitSums - 1) / SplitSums;

  // Weights come in groups of at most 32 bits, one integer of a simulator, and go into words that
  // hold as many lanes of both weights as fit below Gap.
  function automatic int unsigned group_lanes();
    int unsigned lanes = (32 / WeightBits < Simd) ? 32 / WeightBits : Simd;
    while (Simd % lanes != 0) begin
      lanes = lanes - 1;
    end
    return lanes;
  endfunction

  localparam int unsigned GroupLanes = group_lanes();
  localparam int unsigned Groups = Simd / GroupLanes;
  localparam int unsigned GroupBits = GroupLanes * WeightBits;
  localparam int unsigned GapLanes = Gap / WeightBits;
  localparam int unsigned WordLanes = (GapLanes < GroupLanes) ? GapLanes : GroupLanes;
  localparam int unsigned GroupWords = (GroupLanes + WordLanes - 1) / WordLanes;
  localparam int unsigned HalfBits = WordLanes * WeightBits;
  localparam int unsigned WordBits = Gap + HalfBits;

  typedef logic [WordBits-1:0] weights_t[Groups*GroupWords*Pairs];
  typedef int unsigned sums_t[Sums*Pairs];
  typedef int totals_t[Pe];

  function automatic logic [WordBits-1:0] signs();
    signs = '0;
    for (int unsigned lane = 0; lane < WordLanes; lane++) begin
      signs[lane*WeightBits+WeightBits-1] = 1'b1;
      signs[lane*WeightBits+WeightBits-1+Gap] = 1'b1;
    end
  endfunction

  localparam logic [WordBits-1:0] Signs = signs();
  localparam int unsigned LaneMask = (1 << WeightBits) - 1;
  localparam int unsigned PairMask = LaneMask | (LaneMask << Gap);

  weights_t weights_q;
  logic [Simd*InBits-1:0] inputs_q;
  sums_t sums_q;
  int input_sum_q;

  // The stages write their registers in place, since a simulator would copy results, and the loop
  // over Pe is the innermost one, since that is what it vectorises.
  function automatic void split_weights();
    // verilator unroll_full
    for (int unsigned g = 0; g < Groups; g++) begin
      // verilator unroll_disable
      for (int unsigned p = 0; p < Pairs; p++) begin
        logic [GroupBits-1:0] low = weight_word[(p*Groups+g)*GroupBits+:GroupBits];
        logic [GroupBits-1:0] high = weight_word[((p+Pairs)*Groups+g)*GroupBits+:GroupBits];
        // verilator unroll_full
        for (int unsigned w = 0; w < GroupWords; w++) begin
          weights_q[(g*GroupWords+w)*Pairs+p] = Signs
              ^ (WordBits'(HalfBits'(low >> w * HalfBits))
                 | WordBits'(HalfBits'(high >> w * HalfBits)) << Gap);
        end
      end
    end
  endfunction

  function automatic int unsigned operand(int unsigned lane, int unsigned p);
    int unsigned word = lane / GroupLanes * GroupWords + lane % GroupLanes / WordLanes;
    int unsigned place = lane % GroupLanes % WordLanes * WeightBits;
    return (32'(weights_q[word*Pairs+p]) >> place) & PairMask;
  endfunction

  function automatic int input_lane(int unsigned lane);
    logic [InBits-1:0] value = inputs_q[lane*InBits+:InBits];
    return InSigned ? int'(signed'(value)) : int'(value);
  endfunction

  function automatic int unsigned product(int unsigned pair, int in);
    return InSigned ? unsigned'(signed'(pair) * in) : pair * unsigned'(in);
  endfunction

  function automatic void multiply();
    // verilator unroll_full
    for (int unsigned i = 0; i < Sums; i++) begin
      // verilator unroll_disable
      for (int unsigned p = 0; p < Pairs; p++) begin
        int unsigned sum = 0;
        // verilator unroll_full
        for (int unsigned lane = i * SumLanes; lane < (i + 1) * SumLanes; lane++) begin
          if (lane < Simd) begin
            sum = sum + product(operand(lane, p), input_lane(lane));
          end
        end
        sums_q[i*Pairs+p] = sum;
      end
    end
  endfunction

  function automatic int sum_inputs();
    int sum = 0;
    // verilator unroll_full
    for (int unsigned lane = 0; lane < Simd; lane++) begin
      sum = sum + input_lane(lane);
    end
    return sum;
  endfunction

  function automatic int lower(int unsigned pair);
    int unsigned top = pair << (32 - Gap);
    return InSigned ? (signed'(top) >>> (32 - Gap)) : int'(top >> (32 - Gap));
  endfunction

  function automatic int upper(int unsigned pair);
    int borrow = int'((pair >> (Gap - 1)) & 1);
    return InSigned ? (signed'(pair) >>> Gap) + borrow : int'(pair >> Gap);
  endfunction

  function automatic totals_t sum_lanes();
    // verilator unroll_disable
    for (int unsigned p = 0; p < Pairs; p++) begin
      int low = -(input_sum_q <<< (WeightBits - 1));
      int high = -(input_sum_q <<< (WeightBits - 1));
      // verilator unroll_full
      for (int unsigned k = 0; k < Splits; k++) begin
        int unsigned pair = 0;
        // verilator unroll_full
        for (int unsigned i = k * SplitSums; i < (k + 1) * SplitSums; i++) begin
          if (i < Sums) begin
            pair = pair + sums_q[i*Pairs+p];
          end
        end
        low  = low + lower(pair);
        high = high + upper(pair);
      end
      sum_lanes[p] = low;
      sum_lanes[p+Pairs] = high;
    end
  endfunction

  // The last stage comes first: each register is read before it is written.
  always_ff @(posedge clk) begin
    if (sums_valid) begin
      totals_q <= sum_lanes();
    end
    if (products_valid) begin
      multiply();
      input_sum_q <= sum_inputs();
    end
    if (word_valid) begin
      split_weights();
      inputs_q <= inputs;
    end
  end

endmodule

`default_nettype wire
