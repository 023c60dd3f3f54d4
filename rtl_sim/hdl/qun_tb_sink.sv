// SPDX-License-Identifier: Apache-2.0
//
// AXI4-Stream sink of a bench: writes every beat as a line of hexadecimal digits; simulation only.
//
// Writes the cycle of each frame's last beat to `FramesFile`. Counts breaches of the protocol: data or valid that change
// while they wait, and `tlast` on a wrong beat. With +find_beat=<n>, `found_cycle` is the cycle of beat n.

`default_nettype none

module qun_tb_sink #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Beats = 1,  // in a frame
    parameter string File = "output.hex",
    parameter string FramesFile = "output.cycles",
    parameter int unsigned Seed = 1
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input var longint unsigned cycle,
    input  wire logic flush,
    input  wire logic [Bits-1:0] s_axis_tdata,
    input  wire logic s_axis_tvalid,
    output logic      s_axis_tready,
    input  wire logic s_axis_tlast,
    output int unsigned beats,
    output longint unsigned first_cycle,
    output longint unsigned last_cycle,
    output longint unsigned found_cycle,
    output int unsigned unstable,
    output int unsigned wrong_last,
    output logic      finished
);

  int file;
  int frames_file;
  int unsigned expected_frames;
  int unsigned find_beat;
  int unsigned position;
  logic stall;
  logic waiting_q;
  logic [Bits-1:0] data_q;
  logic last_q;

  qun_tb_stall #(
      .Seed(Seed),
      .Sink(1'b1)
  ) u_stall (
      .clk  (clk),
      .rst_n(rst_n),
      .stall(stall)
  );

  initial begin
    file = $fopen(File, "w");
    frames_file = $fopen(FramesFile, "w");
    if (file == 0 || frames_file == 0) $fatal(1, "%s cannot be written", File);
    if ($value$plusargs("frames=%d", expected_frames) == 0) expected_frames = 1;
    if ($value$plusargs("find_beat=%d", find_beat) == 0) find_beat = '1;
  end

  assign s_axis_tready = rst_n && !stall;
  assign finished = beats >= expected_frames * Beats;

  always @(posedge clk) begin
    if (!rst_n) begin
      position <= 0;
      beats <= 0;
      first_cycle <= 0;
      last_cycle <= 0;
      found_cycle <= '1;
      unstable <= 0;
      wrong_last <= 0;
      waiting_q <= 1'b0;
      data_q <= '0;
      last_q <= 1'b0;
    end else begin
      waiting_q <= s_axis_tvalid && !s_axis_tready;
      data_q <= s_axis_tdata;
      last_q <= s_axis_tlast;
      if (waiting_q && (!s_axis_tvalid || s_axis_tdata != data_q || s_axis_tlast != last_q)) begin
        unstable <= unstable + 1;
      end
      if (s_axis_tvalid && s_axis_tready) begin
        $fwrite(file, "%h\n", s_axis_tdata);
        if (s_axis_tlast != (position == Beats - 1)) wrong_last <= wrong_last + 1;
        if (position == Beats - 1) begin
          position <= 0;
          $fwrite(frames_file, "%0d\n", cycle);
        end else begin
          position <= position + 1;
        end
        if (beats == 0) first_cycle <= cycle;
        if (beats == find_beat) found_cycle <= cycle;
        last_cycle <= cycle;
        beats <= beats + 1;
      end
    end
  end

  // The files are whole when `done` rises, so that Python may read them at once.
  always @(posedge clk) begin
    if (flush) begin
      $fflush(file);
      $fflush(frames_file);
    end
  end

endmodule

`default_nettype wire
