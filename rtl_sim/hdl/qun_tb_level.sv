// SPDX-License-Identifier: Apache-2.0
//
// Fill of a FIFO over a simulation; simulation only.
//
// While `closing`, one line goes to the file `report`: name, highest fill, present fill.

`default_nettype none

module qun_tb_level #(
    parameter int unsigned Bits = 8,
    parameter string Name = "fifo"
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input  wire logic closing,
    input var int report,
    input  wire logic [Bits-1:0] level
);

  int unsigned highest;

  always_ff @(posedge clk) begin
    if (!rst_n) highest <= 0;
    else if (32'(level) > highest) highest <= 32'(level);
    if (closing) $fwrite(report, "fifo %s %0d %0d\n", Name, highest, level);
  end

endmodule

`default_nettype wire
