// SPDX-License-Identifier: Apache-2.0
//
// Reset of a clock from a level that knows no clock.
//
// Latency: 4 cycles.
// Throughput: no data.
// Lanes: none.
//
// `rst_n` follows `enable` through registers, so that all of a design leaves its reset in one cycle. Flip-flops start
// at 0: a design is in reset until its clock runs and `enable` is 1.

`default_nettype none

module qun_reset_sync (
    input  wire logic clk,
    input  wire logic enable,
    output logic      rst_n
);

  logic [3:0] level_q;

  assign rst_n = level_q[3];

  always_ff @(posedge clk) begin
    level_q <= {level_q[2:0], enable};
  end

endmodule

`default_nettype wire
