// SPDX-License-Identifier: Apache-2.0
//
// AXI4-Stream sink of a bench that resets: holds every beat against a file; simulation only.
//
// While `rst_n` is low it takes up frame `first`; then `count` frames have to come, the first one again behind the
// last one. A wrong beat, a wrong tlast, a beat too many and tvalid in a second cycle of reset are an $error, once,
// and `failed` stays high. `values` counts the values that were compared while `counts` was high.

`default_nettype none

module qun_tb_reset_sink #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Lanes = 1,
    parameter int unsigned Beats = 1,  // in a frame
    parameter int unsigned Frames = 1,  // in the file
    parameter string File = "frames.mem",
    parameter string Name = "stream",
    parameter int unsigned Seed = 1
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input var int unsigned run,  // number of the reset, for messages
    input var int unsigned first,
    input var int unsigned count,
    input  wire logic stalls,
    input  wire logic frozen,
    input  wire logic counts,
    input  wire logic [Bits-1:0] s_axis_tdata,
    input  wire logic s_axis_tvalid,
    output logic      s_axis_tready,
    input  wire logic s_axis_tlast,
    output longint unsigned values,
    output logic      came,
    output logic      failed
);

  localparam int unsigned Words = Beats * Frames;

  logic [Bits-1:0] words[Words];
  int unsigned word;
  int unsigned position;  // of the beat in its frame
  int unsigned left;  // frames
  int unsigned random;
  logic reset_q;

  initial begin
    $readmemh(File, words);
    random = Seed * 32'h85ebca6b | 32'd1;
    values = 0;
    failed = 1'b0;
    reset_q = 1'b0;
  end

  assign s_axis_tready = !frozen && !(stalls && random[16]);
  assign came = left == 0;

  always_ff @(posedge clk) begin
    random <= qun_tb_reset_pkg::following(random);
    reset_q <= !rst_n;
    if (!rst_n) begin
      word <= first * Beats;
      position <= 0;
      left <= count;
      if (reset_q && s_axis_tvalid && !failed) begin
        failed <= 1'b1;
        assert (0)
        else $error("stream %s, reset %0d: tvalid is high in reset", Name, run);
      end
    end else if (s_axis_tvalid && s_axis_tready) begin
      word <= word == Words - 1 ? 0 : word + 1;
      position <= position == Beats - 1 ? 0 : position + 1;
      if (position == Beats - 1) left <= left - 1;
      if (counts) values <= values + 64'(Lanes);
      if (!failed && (left == 0 || s_axis_tdata != words[word]
                      || s_axis_tlast != (position == Beats - 1))) begin
        failed <= 1'b1;
        assert (0)
        else
          $error("stream %s, reset %0d, frame %0d, beat %0d: expected %h, got %h, tlast %b%s", Name,
                 run, first, position, words[word], s_axis_tdata, s_axis_tlast,
                 left == 0 ? ", too many" : "");
      end
    end
  end

endmodule

`default_nettype wire
