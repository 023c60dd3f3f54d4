// SPDX-License-Identifier: Apache-2.0
//
// Status registers of a network on AXI4-Lite: what it is, how many frames came and went, what was wrong with them.
//
// Latency: 1 cycle from a read's address to its data, 2 from a write's address and data to its refusal.
// Throughput: a read in two cycles, a write in three.
// Lanes: none; the byte of a register with the lowest address is its least significant one.
//
// Registers have 32 bits and stand at multiples of four; the two lowest bits of an address are ignored. They can only be
// read: a write changes nothing and is answered with SLVERR, as is a read where there is no register, whose data are 0.
//
//   00  ID          the letters QUNT, the first one most significant
//   04  VERSION     version of this list of registers, 1
//   08  DIGEST_LOW  the first four bytes of the network's digest, the first one least significant
//   0C  DIGEST_HIGH the next four
//   10  FRAMES_IN   frames whose last beat was taken since reset, modulo 2**32
//   14  FRAMES_OUT  frames whose last beat has left since reset, modulo 2**32
//   18  ERRORS      frames of a wrong length that have ended since reset, modulo 2**32
//
// A frame is what ends with tlast, as in qun_frame_check: one that is too long counts once, when it ends.

`include "qun_assert.svh"

`default_nettype none

module qun_axi_lite_status #(
    /// Digest of the network, its first byte in the least significant bits [any]
    parameter bit [63:0] Digest = 64'd0,
    /// Beats of a frame that comes [1 or more]
    parameter int unsigned Beats = 2
) (
    input  wire logic        clk,
    input  wire logic        rst_n,
    input  wire logic        beat_in,        // a beat is taken in this cycle
    input  wire logic        last_in,        // it is the last one of its frame
    input  wire logic        frame_out,      // a frame's last beat leaves in this cycle
    input  wire logic [ 5:0] s_axi_awaddr,
    input  wire logic        s_axi_awvalid,
    output logic             s_axi_awready,
    input  wire logic [31:0] s_axi_wdata,
    input  wire logic [ 3:0] s_axi_wstrb,
    input  wire logic        s_axi_wvalid,
    output logic             s_axi_wready,
    output logic      [ 1:0] s_axi_bresp,
    output logic             s_axi_bvalid,
    input  wire logic        s_axi_bready,
    input  wire logic [ 5:0] s_axi_araddr,
    input  wire logic        s_axi_arvalid,
    output logic             s_axi_arready,
    output logic      [31:0] s_axi_rdata,
    output logic      [ 1:0] s_axi_rresp,
    output logic             s_axi_rvalid,
    input  wire logic        s_axi_rready
);

  localparam logic [31:0] Id = "QUNT";
  localparam logic [31:0] Version = 32'd1;
  localparam logic [1:0] Okay = 2'b00;
  localparam logic [1:0] SlaveError = 2'b10;

  localparam int unsigned CountBits = $clog2(Beats + 1);

  logic [31:0] frames_in_q, frames_out_q, errors_q;
  logic [CountBits-1:0] beat_q;  // of the frame that comes; Beats where it is too long
  logic frame_in, wrong;

  assign frame_in = beat_in && last_in;
  assign wrong = beat_q != CountBits'(Beats - 1);

  always_ff @(posedge clk) begin
    frames_in_q  <= frames_in_q + 32'(frame_in);
    frames_out_q <= frames_out_q + 32'(frame_out);
    errors_q     <= errors_q + 32'(frame_in && wrong);
    if (frame_in) begin
      beat_q <= '0;
    end else if (beat_in && beat_q != CountBits'(Beats)) begin
      beat_q <= beat_q + 1'b1;
    end
    if (!rst_n) begin
      frames_in_q  <= '0;
      frames_out_q <= '0;
      errors_q     <= '0;
      beat_q       <= '0;
    end
  end

  // Reads.
  logic [31:0] found, rdata_q;
  logic missing, rvalid_q;
  logic [1:0] rresp_q;

  always_comb begin
    found   = '0;
    missing = 1'b0;
    unique case (s_axi_araddr[5:2])
      4'd0: found = Id;
      4'd1: found = Version;
      4'd2: found = Digest[31:0];
      4'd3: found = Digest[63:32];
      4'd4: found = frames_in_q;
      4'd5: found = frames_out_q;
      4'd6: found = errors_q;
      default: missing = 1'b1;
    endcase
  end

  assign s_axi_arready = !rvalid_q;
  assign s_axi_rvalid = rvalid_q;
  assign s_axi_rdata = rdata_q;
  assign s_axi_rresp = rresp_q;

  always_ff @(posedge clk) begin
    if (s_axi_arvalid && s_axi_arready) begin
      rdata_q  <= found;
      rresp_q  <= missing ? SlaveError : Okay;
      rvalid_q <= 1'b1;
    end else if (s_axi_rready) begin
      rvalid_q <= 1'b0;
    end
    if (!rst_n) begin
      rvalid_q <= 1'b0;
    end
  end

  // Writes: the address and the data come in any order, and both are there before the refusal goes.
  logic address_q, data_q, bvalid_q;

  assign s_axi_awready = !address_q && !bvalid_q;
  assign s_axi_wready = !data_q && !bvalid_q;
  assign s_axi_bvalid = bvalid_q;
  assign s_axi_bresp = SlaveError;

  always_ff @(posedge clk) begin
    if (s_axi_awvalid && s_axi_awready) begin
      address_q <= 1'b1;
    end
    if (s_axi_wvalid && s_axi_wready) begin
      data_q <= 1'b1;
    end
    if (address_q && data_q) begin
      address_q <= 1'b0;
      data_q    <= 1'b0;
      bvalid_q  <= 1'b1;
    end else if (s_axi_bready) begin
      bvalid_q <= 1'b0;
    end
    if (!rst_n) begin
      address_q <= 1'b0;
      data_q    <= 1'b0;
      bvalid_q  <= 1'b0;
    end
  end

  logic unused;
  assign unused = ^{s_axi_awaddr, s_axi_wdata, s_axi_wstrb, s_axi_araddr[1:0]};

  `QUN_ASSERT(beat_in_range, 32'(beat_q) <= Beats, "the beat counter left its range")
  `QUN_ASSERT(write_is_whole, !bvalid_q || (!address_q && !data_q),
              "a write was answered before its address and its data had come")
  `QUN_ASSERT_STREAM(read_address_waits, s_axi_arvalid, s_axi_arready, s_axi_araddr)
  `QUN_ASSERT_STREAM(read_data_wait, s_axi_rvalid, s_axi_rready, {s_axi_rresp, s_axi_rdata})
  `QUN_ASSERT_STREAM(write_address_waits, s_axi_awvalid, s_axi_awready, s_axi_awaddr)
  `QUN_ASSERT_STREAM(write_data_wait, s_axi_wvalid, s_axi_wready, {s_axi_wstrb, s_axi_wdata})
  `QUN_ASSERT_STREAM(reply_waits, s_axi_bvalid, s_axi_bready, s_axi_bresp)

endmodule

`default_nettype wire
