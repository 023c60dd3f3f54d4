// SPDX-License-Identifier: Apache-2.0
//
// Monitor of one stream of a design: counts its beats and, with `Compare`, holds each against a file; simulation only.
//
// `File` has the beats of all frames as packed binary, each in whole bytes, the most significant byte first; one that is
// missing or has another length stops the simulation. While `closing`, one line goes to the file `report`: name, beats,
// valid, ready, first cycle, last cycle, values compared, values that differ, the first wrong beat, expected, got.

`default_nettype none

module qun_tb_tap #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned LaneBits = 8,
    parameter int unsigned Beats = 1,  // in a frame
    parameter bit Compare = 1'b0,
    parameter string Name = "stream",
    parameter string File = "stream.bin",
    localparam int unsigned Bits = Lanes * LaneBits
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input var longint unsigned cycle,
    input  wire logic closing,
    input var int report,
    input  wire logic [Bits-1:0] tdata,
    input  wire logic tvalid,
    input  wire logic tready,
    output logic      complete
);

  localparam int unsigned Bytes = (Bits + 7) / 8;
  localparam int unsigned Chunk = 256;  // beats read at a time
  localparam int unsigned ChunkBits = $clog2(Chunk);

  int file;
  longint unsigned beats;
  longint unsigned first_cycle;
  longint unsigned last_cycle;
  longint unsigned limit;
  longint unsigned wrong_values;
  longint unsigned wrong_beat;
  logic [Bits-1:0] wrong_expected;
  logic [Bits-1:0] wrong_got;
  logic [Bits-1:0] expected[Chunk];

  function automatic longint unsigned differing(logic [Bits-1:0] got,
                                                logic [Bits-1:0] wanted);
    differing = 0;
    // verilator unroll_disable
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      if (got[lane*LaneBits+:LaneBits] != wanted[lane*LaneBits+:LaneBits]) begin
        differing = differing + 1;
      end
    end
  endfunction

  initial begin
    int unsigned frames;
    longint unsigned size;
    limit = 0;
    if (Compare) begin
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
  end

  assign complete = beats >= limit;

  // verilator lint_off BLKSEQ
  always @(posedge clk) begin
    if (!rst_n) begin
      beats = 0;
      first_cycle = 0;
      last_cycle = 0;
      wrong_values = 0;
      wrong_beat = 0;
      wrong_expected = '0;
      wrong_got = '0;
    end else if (tvalid && tready) begin
      if (Compare && beats < limit) begin
        if (beats[ChunkBits-1:0] == '0) begin
          if ($fread(expected, file) == 0) $fatal(1, "%s: no beat %0d", File, beats);
        end
        if (tdata != expected[beats[ChunkBits-1:0]]) begin
          if (wrong_values == 0) begin
            wrong_beat = beats;
            wrong_expected = expected[beats[ChunkBits-1:0]];
            wrong_got = tdata;
          end
          wrong_values = wrong_values + differing(tdata, expected[beats[ChunkBits-1:0]]);
        end
      end
      if (beats == 0) first_cycle = cycle;
      last_cycle = cycle;
      beats = beats + 1;
    end
    if (closing) begin
      $fwrite(report, "stream %s %0d %0d %0d %0d %0d %0d %0d %0d %h %h\n", Name, beats, tvalid,
              tready, first_cycle, last_cycle, ((beats < limit) ? beats : limit) * 64'(Lanes),
              wrong_values, wrong_beat, wrong_expected, wrong_got);
    end
  end
  // verilator lint_on BLKSEQ

endmodule

`default_nettype wire
