// SPDX-License-Identifier: Apache-2.0
//
// Reset, cycle counter and end of a bench; simulation only. The clock comes from the simulator's main loop.
//
// The end comes when `finished` and `complete` have held for `DrainCycles` cycles, or when nothing has moved for
// +watchdog=<cycles> cycles, with `timed_out` where it is not finished, or at cycle +dump_to=<n>. An output may be
// finished before the streams inside are complete: a window need not reach the last rows. `closing` is then high for one
// cycle, in which the monitors leave their reports, and `done` rises at its end. Cycle 0 is the first cycle out of reset.
// The design is out of reset `SettleCycles` before the bench, where it takes its reset through registers.
// With QUN_TRACE defined, the waveform wave.vcd begins at cycle +dump_from=<n>.

`default_nettype none

module qun_tb_clock #(
    parameter int unsigned ResetCycles = 4,
    parameter int unsigned SettleCycles = 0,
    parameter int unsigned DrainCycles = 64
) (
    input  wire logic clk,
    output logic      rst_n,
    output logic      dut_rst_n,
    output longint unsigned cycle,
    input  wire logic moved,
    input  wire logic finished,
    input  wire logic complete,
    output logic      closing,
    output logic      done,
    output logic      timed_out
);

  int unsigned watchdog;
  int unsigned reset_count;
  int unsigned idle_count;
  int unsigned drain_count;
  longint unsigned dump_to;

  initial begin
    rst_n = 1'b0;
    dut_rst_n = 1'b0;
    cycle = 0;
    closing = 1'b0;
    done = 1'b0;
    timed_out = 1'b0;
    reset_count = 0;
    idle_count = 0;
    drain_count = 0;
    if ($value$plusargs("watchdog=%d", watchdog) == 0) watchdog = 100000;
    if ($value$plusargs("dump_to=%d", dump_to) == 0) dump_to = '1;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      reset_count <= reset_count + 1;
      dut_rst_n <= reset_count + 1 >= ResetCycles;
      rst_n <= reset_count + 1 >= ResetCycles + SettleCycles;
    end else begin
      cycle <= cycle + 1;
      idle_count <= moved ? 0 : idle_count + 1;
      drain_count <= finished && complete ? drain_count + 1 : 0;
      if (idle_count >= watchdog && !finished) timed_out <= 1'b1;
      closing <= !closing && !done && (drain_count >= DrainCycles || idle_count > watchdog
                                       || cycle >= dump_to);
      if (closing) done <= 1'b1;
    end
  end

`ifdef QUN_TRACE
  longint unsigned dump_from;

  initial begin
    if ($value$plusargs("dump_from=%d", dump_from) == 0) dump_from = '1;
  end

  always @(posedge clk) begin
    if (rst_n && cycle == dump_from) begin
      $dumpfile("wave.vcd");
      $dumpvars;
    end
  end
`endif

endmodule

`default_nettype wire
