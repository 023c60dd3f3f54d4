// SPDX-License-Identifier: Apache-2.0
//
// AXI4-Stream source of a bench: plays the beats of a file of packed binary; simulation only.
//
// The file holds the beats of all frames, each in whole bytes, the most significant byte first; one that is missing or
// has another length stops the simulation. It stands in the working directory, so that another image needs no other
// build. `first_cycle` is the cycle of the first handshake. Stalls once every beat has left.

`default_nettype none

module qun_tb_source #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Beats = 1,  // in a frame
    parameter string File = "input.bin",
    parameter int unsigned Seed = 1
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input var longint unsigned cycle,
    output logic      [Bits-1:0] m_axis_tdata,
    output logic      m_axis_tvalid,
    input  wire logic m_axis_tready,
    output logic      m_axis_tlast,
    output int unsigned beats,
    output longint unsigned first_cycle
);

  localparam int unsigned Bytes = (Bits + 7) / 8;
  localparam int unsigned Chunk = 256;  // beats read at a time
  localparam int unsigned ChunkBits = $clog2(Chunk);

  int file;
  int unsigned position;
  longint unsigned limit;
  longint unsigned sent;  // beats that were offered
  logic stall;
  logic [Bits-1:0] words[Chunk];

  qun_tb_stall #(
      .Seed(Seed)
  ) u_stall (
      .clk  (clk),
      .rst_n(rst_n),
      .stall(stall)
  );

  initial begin
    int unsigned frames;
    longint unsigned size;
    if ($value$plusargs("frames=%d", frames) == 0) frames = 1;
    limit = 64'(frames) * 64'(Beats);
    file = $fopen(File, "rb");
    if (file == 0) $fatal(1, "%s: expected the beats of %0d frames, got no file", File, frames);
    void'($fseek(file, 0, 2));
    size = 64'($ftell(file));
    void'($rewind(file));
    if (size != limit * 64'(Bytes)) begin
      $fatal(1, "%s: expected %0d frames of %0d beats of %0d bytes, got %0d bytes", File,
             frames, Beats, Bytes, size);
    end
  end

  always @(posedge clk) begin
    if (!rst_n) begin
      m_axis_tvalid <= 1'b0;
      m_axis_tlast <= 1'b0;
      m_axis_tdata <= '0;
      position <= 0;
      sent <= 0;
      beats <= 0;
      first_cycle <= 0;
    end else begin
      if (m_axis_tvalid && m_axis_tready) begin
        if (beats == 0) first_cycle <= cycle;
        beats <= beats + 1;
      end
      if (!m_axis_tvalid || m_axis_tready) begin
        m_axis_tvalid <= !stall && sent != limit;
        m_axis_tlast <= 1'b0;
        if (!stall && sent != limit) begin
          if (sent[ChunkBits-1:0] == '0) begin
            if ($fread(words, file) == 0) $fatal(1, "%s: no beat %0d", File, sent);
          end
          m_axis_tlast <= position == Beats - 1;
          m_axis_tdata <= words[sent[ChunkBits-1:0]];
          position <= position == Beats - 1 ? 0 : position + 1;
          sent <= sent + 1;
        end
      end
    end
  end

endmodule

`default_nettype wire
