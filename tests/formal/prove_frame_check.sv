// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_frame_check: whatever tlast says, frames of Beats beats leave, each with the first beats of one frame that came.
//
// A writer may end a frame after any number of beats. `index_q` counts the beats of the frame that comes.

`include "qun_assert.svh"

`default_nettype none

module prove_frame_check #(
    /// Bits of a beat [1 or more]
    parameter int unsigned Bits = 2,
    /// Beats of a frame [1 or more]
    parameter int unsigned Beats = 2,
    localparam int unsigned CountBits = $clog2(Beats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic [Bits-1:0] s_data,
    input wire logic s_valid,
    input wire logic s_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, frame_error;
  logic [Bits-1:0] m_data;

  qun_frame_check #(
      .Bits (Bits),
      .Beats(Beats)
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
      .frame_error
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  logic [CountBits-1:0] index_q;  // Beats: the frame is too long
  logic [CountBits-1:0] out_q;  // beats of the frame that left
  logic short_q, error_q, waits_q;
  logic [Bits:0] shown_q;
  logic go_in, go_out, out_end, too_long, twice, ends_early;

  assign go_in = s_valid && s_ready;
  assign go_out = m_valid && m_ready;
  assign out_end = 32'(out_q) == Beats - 1;
  assign too_long = 32'(index_q) == Beats;
  assign ends_early = s_last && 32'(index_q) < Beats - 1;
  assign twice = ends_early && index_q == '0;  // a last beat that came twice

  always_ff @(posedge clk) begin
    if (go_in) begin
      index_q <= s_last ? '0 : too_long ? index_q : index_q + 1'b1;
      short_q <= ends_early && !twice;
      error_q <= error_q || ends_early || (32'(index_q) == Beats - 1 && !s_last);
    end
    if (go_out) begin
      out_q <= out_end ? '0 : out_q + 1'b1;
      if (out_end) begin
        short_q <= 1'b0;
      end
    end
    waits_q <= m_valid && !m_ready;
    shown_q <= {m_last, m_data};
    if (!rst_n) begin
      index_q <= '0;
      out_q <= '0;
      short_q <= 1'b0;
      error_q <= 1'b0;
      waits_q <= 1'b0;
    end
  end

  `PROOF_PROPERTY(beat_in_its_place, !m_valid || short_q
                  || (s_valid && m_data == s_data && out_q == index_q))
  `PROOF_PROPERTY(filled_with_zeros, !short_q || (m_valid && m_data == '0 && !s_ready))
  `PROOF_PROPERTY(rest_is_dropped, !s_valid || short_q || !(too_long || twice)
                  || (s_ready && !m_valid))
  `PROOF_PROPERTY(others_are_offered, !s_valid || too_long || twice || m_valid)
  `PROOF_PROPERTY(taken_when_read, !s_valid || short_q || too_long || twice || s_ready == m_ready)
  `PROOF_PROPERTY(last_ends_frame, !m_valid || m_last == out_end)
  `PROOF_PROPERTY(error_is_told, frame_error == error_q)
  `PROOF_PROPERTY(offer_held, !waits_q || (m_valid && {m_last, m_data} == shown_q))
  `PROOF_COVER(told, frame_error)
  `PROOF_COVER(waited, waits_q)
  `PROOF_COVER(long, s_valid && too_long)
  if (Beats > 2) begin : gen_short
    `PROOF_COVER(filled, short_q)
  end

endmodule

`default_nettype wire
