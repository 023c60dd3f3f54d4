// Highest fill of a FIFO over a simulation; simulation only.
module qun_tb_level #(
    parameter int unsigned Bits = 8
) (
    input logic clk,
    input logic rst_n,
    input logic [Bits-1:0] level,
    output int unsigned highest
);

  always_ff @(posedge clk) begin
    if (!rst_n) highest <= 0;
    else if (32'(level) > highest) highest <= 32'(level);
  end

endmodule
