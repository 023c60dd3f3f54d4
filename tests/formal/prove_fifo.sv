// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_fifo, shallow and deep: the stream, the fill level, and tlast where it is counted.

`include "qun_assert.svh"

`default_nettype none

module prove_fifo #(
    /// Bits of a beat [2 or more]
    parameter int unsigned Bits = 2,
    /// Beats that it holds [2 or more]
    parameter int unsigned Depth = 2,
    /// Beats of a frame; 0 stores tlast [0 or more]
    parameter int unsigned FrameBeats = 0,
    /// Cycles that a beat takes through the empty FIFO [1 or more]
    parameter int unsigned Latency = 1
) (
    input wire logic            clk,
    input wire logic            reset,
    input wire logic [Bits-1:0] s_data,
    input wire logic            s_valid,
    input wire logic            s_last,
    input wire logic            m_ready
);

  localparam int unsigned LevelBits = $clog2(Depth + 1);

  `PROOF_RESET
  logic s_ready, m_valid, m_last;
  logic [Bits-1:0] m_data;
  logic [LevelBits-1:0] level;

  qun_fifo #(
      .Bits      (Bits),
      .Depth     (Depth),
      .FrameBeats(FrameBeats)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_data),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .s_axis_tlast (s_last),
      .m_axis_tdata (m_data),
      .m_axis_tvalid(m_valid),
      .m_axis_tready(m_ready),
      .m_axis_tlast (m_last),
      .level
  );

  proof_stream #(
      .Bits        (Bits),
      .HasLast     (FrameBeats == 0),
      .AnswerWithin(Depth + Latency - 1),
      .ReadyWithin (Latency)
  ) u_stream (
      .*
  );

  logic [LevelBits:0] held_q;  // beats that went in and did not come out

  always_ff @(posedge clk) begin
    held_q <= held_q + (LevelBits + 1)'(s_valid && s_ready) - (LevelBits + 1)'(m_valid && m_ready);
    if (!rst_n) begin
      held_q <= '0;
    end
  end

  `PROOF_PROPERTY(level_right, (LevelBits + 1)'(level) == held_q)
  `PROOF_PROPERTY(no_overflow, 32'(held_q) <= Depth && !(s_ready && 32'(held_q) == Depth))
  `PROOF_PROPERTY(no_underflow, !m_valid || held_q != '0)
  `PROOF_COVER(full, 32'(held_q) == Depth)

  if (FrameBeats != 0) begin : gen_count_last
    localparam int unsigned BeatBits = $clog2(FrameBeats + 1);
    logic [BeatBits-1:0] beat_q;  // beats of the frame that came out

    always_ff @(posedge clk) begin
      if (m_valid && m_ready) begin
        beat_q <= (32'(beat_q) == FrameBeats - 1) ? '0 : beat_q + 1'b1;
      end
      if (!rst_n) begin
        beat_q <= '0;
      end
    end

    `PROOF_PROPERTY(last_ends_frame, !m_valid || m_last == (32'(beat_q) == FrameBeats - 1))
    `PROOF_COVER(frame_came, m_valid && m_last)
  end

endmodule

`default_nettype wire
