// SPDX-License-Identifier: Apache-2.0
//
// Output FIFO with credits: a producer that cannot stall takes a credit before it starts and pushes later.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle.
// Lanes: kept as they come.
//
// A beat may be pushed only on a credit that was taken, at most Depth of them at a time.

`include "qun_assert.svh"

`default_nettype none

module qun_credit_fifo #(
    /// Bits of a beat [1 or more]
    parameter int unsigned Bits = 8,
    /// Beats that it holds, and credits [a power of two, 2 or more]
    parameter int unsigned Depth = qun_device_pkg::Credits
) (
    input  wire logic            clk,
    input  wire logic            rst_n,
    output logic                 credit,         // a credit can be taken in this cycle
    input  wire logic            take,
    input  wire logic            push,
    input  wire logic [Bits-1:0] push_data,
    input  wire logic            push_last,
    output logic      [Bits-1:0] m_axis_tdata,
    output logic                 m_axis_tvalid,
    input  wire logic            m_axis_tready,
    output logic                 m_axis_tlast
);

  localparam int unsigned AddrBits = $clog2(Depth);

  (* no_rw_check *)
  logic [Bits:0] words[Depth];
  logic [AddrBits:0] write_q, read_q;  // one bit more than the address tells full from empty
  logic [AddrBits:0] credits_q;
  logic credit_q;  // one is left: a register, since whether a tap comes hangs on it
  logic pop;

  assign credit = credit_q;
  assign m_axis_tvalid = write_q != read_q;
  assign {m_axis_tlast, m_axis_tdata} = words[read_q[AddrBits-1:0]];
  assign pop = m_axis_tvalid && m_axis_tready;

  always_ff @(posedge clk) begin
    if (push) begin
      words[write_q[AddrBits-1:0]] <= {push_last, push_data};
    end
    if (push) begin
      write_q <= write_q + 1'b1;
    end
    if (pop) begin
      read_q <= read_q + 1'b1;
    end
    if (take && !pop) begin
      credits_q <= credits_q - 1'b1;
      credit_q <= credits_q != (AddrBits + 1)'(1);
    end else if (pop && !take) begin
      credits_q <= credits_q + 1'b1;
      credit_q <= 1'b1;
    end
    if (!rst_n) begin
      write_q <= '0;
      read_q <= '0;
      credits_q <= (AddrBits + 1)'(Depth);
      credit_q <= 1'b1;
    end
  end

  // Credits that are out are those of beats that are held, and of beats that have not come yet.
  `QUN_ASSERT(credits_in_range, 32'(credits_q) <= Depth, "there are more credits than places")
  `QUN_ASSERT(credit_is_counted, credit_q == (credits_q != '0),
              "a credit was offered that is not there, or not offered")
  `QUN_ASSERT(take_has_credit, !take || credit, "a credit was taken where there was none")
  `QUN_ASSERT(push_has_credit,
              !push || 32'(credits_q) + 32'((AddrBits + 1)'(write_q - read_q)) < Depth,
              "a beat was pushed without a credit")

endmodule

`default_nettype wire
