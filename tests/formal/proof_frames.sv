// SPDX-License-Identifier: Apache-2.0
//
// What a module must do that makes frames of beats of frames of beats: as many, in order, in time, tlast at each end.
//
// Data are free. In any run one frame is watched, any one, and of what comes of it one beat, any one: the harness keeps
// what must become of it while the frame goes in (`watched`), and holds it against what is on offer when it is that
// beat's turn (`due`). A beat that is lost, doubled, swapped, damaged, or made of another frame, is wrong in some run.
//
// A cycle is willing if the reader does not refuse a beat that is on offer; bounds are counted in willing cycles.

`include "qun_assert.svh"

`default_nettype none

module proof_frames #(
    /// Bits of a beat that comes out, tlast not counted [1 or more]
    parameter int unsigned Bits = 2,
    /// Beats of a frame that goes in [1 or more]
    parameter int unsigned InBeats = 1,
    /// Beats of a frame that comes out [1 or more]
    parameter int unsigned OutBeats = 1,
    /// Whether tlast ends a frame; else it is part of the data [0 or 1]
    parameter bit HasLast = 1'b1,
    /// Whether the reader may refuse a beat [0 or 1]
    parameter bit Refuses = 1'b1,
    /// Frames that may have gone in and not come out [1 to 13]
    parameter int unsigned Ahead = 3,
    /// Willing cycles after which a beat whose beats went in comes out [1 or more]
    parameter int unsigned AnswerWithin = 2,
    /// Willing cycles in a row in which a beat may be refused [0 or more]
    parameter int unsigned ReadyWithin = 1,
    localparam int unsigned InBits = $clog2(InBeats + 1),
    localparam int unsigned OutBits = $clog2(OutBeats + 1)
) (
    input  wire logic               clk,
    input  wire logic               rst_n,
    input  wire logic               awake,
    input  wire logic               watch,      // free: whether a frame that begins is the one
    input  wire logic [OutBits-1:0] place,      // free: which beat of it is looked at
    input  wire logic [ InBits-1:0] needs,      // beats that stand before that at `out_q`
    input  wire logic               s_valid,
    input  wire logic               s_ready,
    input  wire logic               s_last,
    input  wire logic [   Bits-1:0] m_data,
    input  wire logic               m_valid,
    input  wire logic               m_ready,
    input  wire logic               m_last,
    input  wire logic               reader,     // where it may not refuse: it asks for a beat
    output logic      [ InBits-1:0] in_q,       // beats of the frame that went in
    output logic      [OutBits-1:0] out_q,      // beats of the frame that came out
    output logic                    watched,    // a beat goes in, and it is of that frame
    output logic                    due         // what is on offer is that beat
);

  localparam int unsigned LateBits = $clog2(AnswerWithin + 2);
  localparam int unsigned RefusedBits = $clog2(ReadyWithin + 2);

  typedef logic signed [4:0] frames_t;

  logic [OutBits-1:0] place_q;
  logic go_in, go_out, in_end, out_end, in_watched;
  // Frames that went in, less those that came out; -1 where the end of a frame makes no beats.
  frames_t ahead_q;
  frames_t turn_q;  // frames that come out before the watched one
  logic begun_q, watching_q, done_q;
  logic owed, willing, waits_q;
  logic [Bits:0] shown_q;
  logic [LateBits-1:0] late_q;
  logic [RefusedBits-1:0] refused_q;

  assign go_in = s_valid && s_ready;
  assign go_out = m_valid && m_ready;
  assign in_end = 32'(in_q) == InBeats - 1;
  assign out_end = 32'(out_q) == OutBeats - 1;
  assign in_watched = (in_q == '0) ? watch && !begun_q : watching_q;
  assign watched = go_in && in_watched;
  assign due = m_valid && begun_q && !done_q && turn_q == '0 && out_q == place;
  assign owed = ahead_q > 0 || (ahead_q == 0 && in_q >= needs);
  assign willing = Refuses ? !m_valid || m_ready : reader;

  always_ff @(posedge clk) begin
    place_q <= place;
    if (go_in) begin
      in_q <= in_end ? '0 : in_q + 1'b1;
      watching_q <= in_watched;
    end
    if (watched) begin
      begun_q <= 1'b1;
    end
    if (go_out) begin
      out_q <= out_end ? '0 : out_q + 1'b1;
      done_q <= done_q || due;
    end
    ahead_q <= ahead_q + frames_t'({1'b0, go_in && in_end}) - frames_t'({1'b0, go_out && out_end});
    if (!begun_q) begin
      turn_q <= ahead_q - frames_t'({1'b0, go_out && out_end});
    end else if (go_out && out_end && turn_q >= 0) begin
      turn_q <= turn_q - 5'sd1;
    end
    waits_q <= m_valid && !m_ready;
    shown_q <= {m_last, m_data};
    if (!owed || go_out) begin
      late_q <= '0;
    end else if (willing && 32'(late_q) <= AnswerWithin) begin
      late_q <= late_q + 1'b1;
    end
    if (s_ready) begin
      refused_q <= '0;
    end else if (willing && 32'(refused_q) <= ReadyWithin) begin
      refused_q <= refused_q + 1'b1;
    end
    if (!rst_n) begin
      in_q <= '0;
      out_q <= '0;
      ahead_q <= '0;
      begun_q <= 1'b0;
      done_q <= 1'b0;
      waits_q <= 1'b0;
      late_q <= '0;
      refused_q <= '0;
    end
  end

  always_comb begin
    assume (32'(place) < OutBeats && (!awake || place == place_q));  // any, and it stays
    if (rst_n && s_valid && HasLast) begin
      assume (s_last == in_end);
    end
  end

  `PROOF_PROPERTY(none_invented, !m_valid || owed)
  `PROOF_PROPERTY(frames_follow, ahead_q >= -1 && ahead_q <= frames_t'(Ahead))
  `PROOF_PROPERTY(offer_held, !waits_q || (m_valid && {m_last, m_data} == shown_q))
  `PROOF_PROPERTY(answer_in_time, 32'(late_q) <= AnswerWithin)
  `PROOF_PROPERTY(ready_in_time, 32'(refused_q) <= ReadyWithin)
  if (HasLast) begin : gen_last
    `PROOF_PROPERTY(last_ends_frame, !m_valid || m_last == out_end)
  end
  `PROOF_COVER(watched_came, due && m_ready)
  if (Refuses) begin : gen_waited
    `PROOF_COVER(waited, waits_q)
  end
  `PROOF_COVER(refused, s_valid && !s_ready)

endmodule

`default_nettype wire
