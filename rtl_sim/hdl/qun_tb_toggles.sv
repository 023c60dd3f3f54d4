// SPDX-License-Identifier: Apache-2.0
//
// Counter of the toggles of some nets of one clock; simulation only.
//
// A net toggles when its value at a clock edge is another one than at the edge before: the settled values are counted,
// and no glitches between them. While `rst_n` is low nothing is counted. At the end of the simulation one line goes to
// its output: the word `toggles`, the group, the toggles, and the edges that were looked at.

`default_nettype none

module qun_tb_toggles #(
    parameter int unsigned Bits = 1,
    parameter int unsigned Group = 0
) (
    input wire logic clk,
    input wire logic rst_n,
    input wire logic [Bits-1:0] nets
);

  logic [Bits-1:0] nets_q;
  longint unsigned toggles;
  longint unsigned edges;

  initial begin
    toggles = 0;
    edges   = 0;
  end

  always_ff @(posedge clk) begin
    nets_q <= nets;
    if (rst_n) begin
      toggles <= toggles + 64'($countones(nets ^ nets_q));
      edges   <= edges + 1;
    end
  end

  final $display("toggles %0d %0d %0d", Group, toggles, edges);

endmodule

`default_nettype wire
