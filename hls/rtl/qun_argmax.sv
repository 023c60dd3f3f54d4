// SPDX-License-Identifier: Apache-2.0
//
// Channel of the greatest value of each pixel, the first of equals.
//
// Latency: $clog2(Simd) + 1 cycles after a pixel's last beat.
// Throughput: one input beat a cycle; one output beat a pixel.
// Lanes: Simd channels a beat in, lane 0 least significant, channel groups innermost; one lane out.
//
// A tree finds the greatest lane of a beat, a level a cycle, and a register keeps the greatest of a pixel's beats. All
// of them stand still together while the output's register slice is full.

`include "qun_assert.svh"

`default_nettype none

module qun_argmax #(
    /// Input channels [2 or more]
    parameter int unsigned Channels = 2,
    /// Input channels of a beat [a divisor of Channels]
    parameter int unsigned Simd = 1,
    /// Bits of an input channel [1 to 16]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Bits of the output [enough for Channels - 1, to 16]
    parameter int unsigned OutBits = 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst_n,
    input  wire logic [Simd*InBits-1:0] s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    input  wire logic                   s_axis_tlast,
    output logic      [    OutBits-1:0] m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    output logic                        m_axis_tlast
);

  localparam int unsigned Groups = Channels / Simd;
  localparam int unsigned Levels = $clog2(Simd);
  localparam int unsigned Leaves = 2 ** Levels;
  // Unsigned numbers are in the order of signed ones when the top bit of those is inverted.
  localparam logic [InBits-1:0] Flip = InSigned ? InBits'(1) << (InBits - 1) : '0;

  if (Channels % Simd != 0 || 64'(Channels) > 64'd1 << OutBits) begin : gen_bad_channels
    $error("Simd must divide Channels, and OutBits hold Channels - 1");
  end

  typedef struct packed {
    logic [InBits-1:0]  value;
    logic [OutBits-1:0] channel;
  } best_t;

  function automatic best_t better(best_t first, best_t second);
    return (first.value < second.value) ? second : first;
  endfunction

  logic move;
  logic group_last;
  best_t leaves[Leaves];
  best_t root;  // of a beat, its channel counted from the beat's first
  logic root_valid;
  logic root_last;
  logic [OutBits-1:0] channel;  // of the pixel's greatest value so far

  assign s_axis_tready = move;

  // Lanes that do not exist have the least value and stand behind all others.
  always_comb begin
    for (int unsigned lane = 0; lane < Leaves; lane++) begin
      leaves[lane] = '0;
      if (lane < Simd) begin
        leaves[lane].value   = s_axis_tdata[(lane%Simd)*InBits+:InBits] ^ Flip;
        leaves[lane].channel = OutBits'(lane);
      end
    end
  end

  if (Levels > 0) begin : gen_tree
    // Node n has the nodes 2n and 2n + 1 below it, or two leaves; 1 is the root.
    best_t nodes_q[Leaves];
    logic [Levels-1:0] valid_q;
    logic [Levels-1:0] last_q;

    always_ff @(posedge clk) begin
      if (move) begin
        for (int unsigned n = 1; n < Leaves; n++) begin
          nodes_q[n] <= (2 * n < Leaves) ? better(nodes_q[(2*n)%Leaves], nodes_q[(2*n+1)%Leaves]) :
              better(leaves[(2*n)%Leaves], leaves[(2*n+1)%Leaves]);
        end
        valid_q <= Levels'({valid_q, s_axis_tvalid});
        last_q  <= Levels'({last_q, s_axis_tlast});
      end
      if (!rst_n) begin
        valid_q <= '0;
      end
    end

    assign root = nodes_q[1];
    assign root_valid = valid_q[Levels-1];
    assign root_last = last_q[Levels-1];
  end else begin : gen_leaf
    assign root = leaves[0];
    assign root_valid = s_axis_tvalid;
    assign root_last = s_axis_tlast;
  end

  if (Groups > 1) begin : gen_groups
    localparam int unsigned GroupBits = $clog2(Groups);
    logic [GroupBits-1:0] group_q;
    best_t best_q;
    best_t best;
    best_t found;

    assign group_last = group_q == GroupBits'(Groups - 1);
    assign found = '{root.value, OutBits'(32'(group_q) * Simd) + root.channel};
    assign best = (group_q == '0) ? found : better(best_q, found);
    assign channel = best.channel;

    always_ff @(posedge clk) begin
      if (move && root_valid) begin
        group_q <= group_last ? '0 : group_q + 1'b1;
        best_q  <= best;
      end
      if (!rst_n) begin
        group_q <= '0;
      end
    end

    `QUN_ASSERT(group_in_range, 32'(group_q) < Groups, "the group counter left its range")
    `QUN_ASSERT(last_ends_pixel, !(root_valid && root_last) || group_last,
                "tlast came within a pixel")
  end else begin : gen_one_group
    assign group_last = 1'b1;
    assign channel = root.channel;

    logic [InBits-1:0] unused_value;
    assign unused_value = root.value;
  end

  qun_register_slice #(
      .Bits(OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({root_last, channel}),
      .s_valid(root_valid && group_last),
      .s_ready(move),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

endmodule

`default_nettype wire
