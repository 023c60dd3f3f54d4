// SPDX-License-Identifier: Apache-2.0
//
// Products of Pe x Simd weights with Simd inputs, summed over the inputs, one product in a multiplier.
//
// Latency: 3 cycles from a weight word to its totals.
// Throughput: one word a cycle.
// Lanes: element p*Simd+s of the word is for output p and input s, element s of the inputs is input s.

`default_nettype none

module qun_lane_products #(
    /// Sums computed at a time [1 or more]
    parameter int unsigned Pe = 1,
    /// Products in a sum [1 or more]
    parameter int unsigned Simd = 1,
    /// Bits of an input channel [1 to 16]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Bits of a weight, which is signed [1 to 16; a sum fits 32 bits]
    parameter int unsigned WeightBits = 8,
    /// Whether multiplications go to hard multipliers; else a product may be made of the halves of its weight [0 or 1]
    parameter bit HardProducts = 1'b1
) (
    input  wire logic                          clk,
    input  wire logic                          word_valid,         // the word and inputs are there
    input  wire logic [Pe*Simd*WeightBits-1:0] weight_word,
    input  wire logic [       Simd*InBits-1:0] inputs,
    input  wire logic                          products_valid,     // one cycle after word_valid
    input  wire logic                          sums_valid,         // two cycles after
    output int                            totals_q      [Pe]
);

  // The lanes of a processing element stand in groups of at most 32 bits, one integer of a simulator.
  function automatic int unsigned group_lanes();
    int unsigned bits = (WeightBits > InBits) ? WeightBits : InBits;
    int unsigned lanes = (bits <= 4) ? 8 : (bits <= 8) ? 4 : 2;
    if (lanes > Simd) begin
      lanes = Simd;
    end
    while (Simd % lanes != 0) begin
      lanes = lanes - 1;
    end
    return lanes;
  endfunction

  localparam int unsigned GroupLanes = group_lanes();
  localparam int unsigned Groups = Simd / GroupLanes;

  // The stage that multiplies adds as many lanes as keep both stages shallow, the next one adds the rest: a product is a
  // sum of as many rows as its narrower factor has bits. Few lanes of wide weights leave the next stage little to add;
  // then the first one multiplies by each half of a weight, and the next one adds the halves too.
  function automatic int unsigned depth_of(int unsigned lanes, int unsigned parts);
    int unsigned bits = (WeightBits + parts - 1) / parts;
    int unsigned first = $clog2(lanes * ((bits < InBits) ? bits : InBits));
    int unsigned second = $clog2(Simd / lanes * parts);
    return (first > second) ? first : second;
  endfunction

  function automatic int unsigned best_lanes(int unsigned parts);
    int unsigned best = 1;
    for (int unsigned lanes = 2; lanes <= 4; lanes = lanes * 2) begin
      if (GroupLanes % lanes == 0 && depth_of(lanes, parts) <= depth_of(best, parts)) begin
        best = lanes;
      end
    end
    return best;
  endfunction

  localparam bit Halves = !HardProducts && WeightBits >= 4
      && depth_of(best_lanes(2), 2) < depth_of(best_lanes(1), 1);
  localparam int unsigned SumLanes = best_lanes(Halves ? 2 : 1);
  localparam int unsigned LowBits = Halves ? WeightBits / 2 : 0;
  localparam int unsigned Sums = Simd / SumLanes;
  localparam int unsigned WeightGroupBits = GroupLanes * WeightBits;
  localparam int unsigned InGroupBits = GroupLanes * InBits;

  typedef logic [WeightGroupBits-1:0] weights_t[Groups*Pe];  // group major
  typedef logic [InGroupBits-1:0] inputs_t[Groups];
  typedef int sums_t[Sums*Pe];
  typedef int totals_t[Pe];

  weights_t weights_q;
  inputs_t inputs_q;
  sums_t sums_q;
  sums_t lows_q;  // of the lower halves of weights, where they are apart

  // The stages write their registers in place, since a simulator would copy results, and the loop
  // over Pe is the innermost one, since that is what it vectorises.
  function automatic void split_weights();
    // verilator unroll_full
    for (int unsigned g = 0; g < Groups; g++) begin
      // verilator unroll_disable
      for (int unsigned p = 0; p < Pe; p++) begin
        weights_q[g*Pe+p] = weight_word[(p*Groups+g)*WeightGroupBits+:WeightGroupBits];
      end
    end
  endfunction

  function automatic void split_inputs();
    // verilator unroll_full
    for (int unsigned g = 0; g < Groups; g++) begin
      inputs_q[g] = inputs[g*InGroupBits+:InGroupBits];
    end
  endfunction

  // A lane as an integer, by two shifts.
  function automatic int weight_lane(logic [WeightGroupBits-1:0] group, int unsigned lane);
    return $signed(32'(group) << (32 - (lane + 1) * WeightBits)) >>> (32 - WeightBits);
  endfunction

  function automatic int input_lane(logic [InGroupBits-1:0] group, int unsigned lane);
    int unsigned top = 32'(group) << (32 - (lane + 1) * InBits);
    return InSigned ? ($signed(top) >>> (32 - InBits)) : int'(top >> (32 - InBits));
  endfunction

  function automatic void multiply();
    // verilator unroll_disable
    for (int unsigned g = 0; g < Groups; g++) begin
      // verilator unroll_disable
      for (int unsigned p = 0; p < Pe; p++) begin
        // verilator unroll_full
        for (int unsigned part = 0; part < GroupLanes / SumLanes; part++) begin
          int sum = 0;
          int low = 0;
          // verilator unroll_full
          for (int unsigned lane = part * SumLanes; lane < (part + 1) * SumLanes; lane++) begin
            int weight = weight_lane(weights_q[g*Pe+p], lane);
            int value = input_lane(inputs_q[g], lane);
            sum = sum + (weight >>> LowBits) * value;
            if (Halves) begin
              low = low + (weight & ((1 << LowBits) - 1)) * value;
            end
          end
          sums_q[(part*Groups+g)*Pe+p] = sum;
          if (Halves) begin
            lows_q[(part*Groups+g)*Pe+p] = low;
          end
        end
      end
    end
  endfunction

  function automatic totals_t sum_lanes();
    // verilator unroll_disable
    for (int unsigned p = 0; p < Pe; p++) begin
      int sum = 0;
      // verilator unroll_full
      for (int unsigned i = 0; i < Sums; i++) begin
        sum = sum + (sums_q[i*Pe+p] <<< LowBits) + (Halves ? lows_q[i*Pe+p] : 0);
      end
      sum_lanes[p] = sum;
    end
  endfunction

  // The last stage comes first: each register is read before it is written.
  always_ff @(posedge clk) begin
    if (sums_valid) begin
      totals_q <= sum_lanes();
    end
    if (products_valid) begin
      multiply();
    end
    if (word_valid) begin
      split_weights();
      split_inputs();
    end
  end

endmodule

`default_nettype wire
