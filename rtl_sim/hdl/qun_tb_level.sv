// Fill of a FIFO over a simulation; simulation only.
//
// While `closing`, one line goes to the file `report`: name, highest fill, present fill.
module qun_tb_level #(
    parameter int unsigned Bits = 8,
    parameter string Name = "fifo"
) (
    input logic clk,
    input logic rst_n,
    input logic closing,
    input int report,
    input logic [Bits-1:0] level
);

  int unsigned highest;

  always_ff @(posedge clk) begin
    if (!rst_n) highest <= 0;
    else if (32'(level) > highest) highest <= 32'(level);
    if (closing) $fwrite(report, "fifo %s %0d %0d\n", Name, highest, level);
  end

endmodule
