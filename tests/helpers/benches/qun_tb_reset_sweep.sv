// SPDX-License-Identifier: Apache-2.0
//
// Resets of a bench: one in each cycle of two frames, or in as many as `Runs` allow, four times; simulation only.
//
// A run is a reset, frames that are broken off by another reset `at` cycles later, and `After` whole frames, of which
// the first is another one than that of the frames before. Of four runs the frames before go without stalls, with
// stalls at random, into a reader that takes nothing, and with stalls again; those behind the reset without and with
// stalls in turn. The resets last one to three cycles, in half of the runs with a reader that takes nothing
// meanwhile. Behind the frames come `Idle` cycles in which nothing may come. `done` rises at the end of all runs, at
// the first failure, or where nothing moves for `Watchdog` cycles, which is an $error.

`default_nettype none

module qun_tb_reset_sweep #(
    parameter int unsigned Runs = 8,
    parameter int unsigned Longest = 16,  // cycles from reset to reset, without stalls
    parameter int unsigned Frames = 1,
    parameter int unsigned After = 2,
    parameter int unsigned Idle = 40,
    parameter int unsigned Watchdog = 1000,
    parameter string Name = "case",
    parameter int unsigned Seed = 1
) (
    input  wire logic clk,
    output logic      rst_n,
    output int unsigned run,
    output int unsigned first,
    output int unsigned count,
    output logic      stalls,
    output logic      frozen,
    output logic      counts,
    input  wire logic moved,
    input  wire logic complete,
    input  wire logic failed,
    output logic      done
);

  localparam int unsigned Steps = (Runs + 3) / 4;

  int unsigned random;
  int unsigned at;
  int unsigned cycle;
  int unsigned idle;
  logic behind;  // the reset in mid frame has been

  initial begin
    rst_n = 1'b0;
    run = 0;
    random = Seed * 32'hc2b2ae35 | 32'd1;
    cycle = 0;
    idle = 0;
    behind = 1'b0;
    done = 1'b0;
  end

  always_comb begin
    at = 1 + (run / 4) * Longest / Steps;
    if (run % 2 == 1) at = at + random % at;
    stalls = behind ? run % 3 == 1 : run % 2 == 1;
    frozen = rst_n ? !behind && run % 4 == 2 : random[20];
    first = (behind ? run + 1 : run) % Frames;
    count = behind ? After : '1;
    counts = behind && !done;
  end

  always_ff @(posedge clk) begin
    cycle <= cycle + 1;
    idle  <= moved ? 0 : idle + 1;
    if (done) begin
      rst_n <= 1'b0;
    end else if (failed) begin
      done <= 1'b1;
    end else if (!rst_n) begin
      idle <= 0;
      if (cycle >= run % 3) begin
        rst_n <= 1'b1;
        cycle <= 0;
      end
    end else if (!behind) begin
      if (cycle >= at) begin
        rst_n  <= 1'b0;
        behind <= 1'b1;
        cycle  <= 0;
      end
    end else if (complete && idle >= Idle) begin
      rst_n <= 1'b0;
      behind <= 1'b0;
      cycle <= 0;
      random <= qun_tb_reset_pkg::following(random);
      run <= run + 1;
      if (run == Runs - 1) done <= 1'b1;
    end else if (idle >= Watchdog) begin
      done <= 1'b1;
      assert (0)
      else $error("%s, reset %0d: the frames behind it did not come", Name, run);
    end
  end

endmodule

`default_nettype wire
