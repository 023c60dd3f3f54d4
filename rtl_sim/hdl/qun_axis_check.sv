// SPDX-License-Identifier: Apache-2.0
//
// Checker of one stream: a waiting beat stays and does not change, and tlast marks each frame's last beat; simulation only.
//
// Each broken rule is an $error that names the stream, once; the simulation goes on.

`default_nettype none

module qun_axis_check #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Beats = 1,  // in a frame
    parameter string Name = "stream"
) (
    input wire logic clk,
    input wire logic rst_n,
    input wire logic [Bits-1:0] tdata,
    input wire logic tvalid,
    input wire logic tready,
    input wire logic tlast
);

  localparam int unsigned LastBeat = Beats - 1;

  int unsigned position;  // of the beat in its frame
  logic waits;
  logic [Bits-1:0] data;
  logic last;
  bit told_valid, told_data, told_last;

  // One process with blocking assignments: a simulator keeps no second copy of anything.
  // verilator lint_off BLKSEQ
  always @(posedge clk) begin
    if (!rst_n) begin
      position = 0;
      waits = 1'b0;
    end else if (tvalid) begin
      if (waits && (tdata != data || tlast != last) && !told_data) begin
        told_data = 1'b1;
        assert (0)
        else $error("stream %s: a beat that waited changed", Name);
      end
      if (tready) begin
        if (tlast != (position == LastBeat) && !told_last) begin
          told_last = 1'b1;
          assert (0)
          else $error("stream %s: tlast is wrong at beat %0d of %0d", Name, position + 1, Beats);
        end
        position = (position == LastBeat) ? 0 : position + 1;
        waits = 1'b0;
      end else if (!waits) begin
        waits = 1'b1;
        data  = tdata;
        last  = tlast;
      end
    end else if (waits) begin
      waits = 1'b0;
      if (!told_valid) begin
        told_valid = 1'b1;
        assert (0)
        else $error("stream %s: a beat that waited was taken back", Name);
      end
    end
  end
  // verilator lint_on BLKSEQ

endmodule

`default_nettype wire
