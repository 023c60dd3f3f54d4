// SPDX-License-Identifier: Apache-2.0
//
// Model of the clock generator of an ECP5 for simulations: CLKOP and CLKOS with the feedback from CLKOP.
//
// The period of CLKI is measured, the inner oscillator computed from it and the dividers, and each output's edges stand
// where they belong, rounded to the simulator's picosecond. LOCK rises when both outputs run. A CLKI that changes or
// stops after that is not followed, and phases are not modelled. Settings that the primitive cannot do are fatal.

`default_nettype none

module EHXPLLL #(
    parameter int CLKI_DIV = 1,
    parameter int CLKFB_DIV = 1,
    parameter int CLKOP_DIV = 8,
    parameter int CLKOS_DIV = 8,
    parameter string CLKOP_ENABLE = "ENABLED",
    parameter string CLKOS_ENABLE = "DISABLED",
    parameter int CLKOP_CPHASE = 0,
    parameter int CLKOS_CPHASE = 0,
    parameter string FEEDBK_PATH = "CLKOP"
) (
    input  wire logic CLKI,
    input  wire logic CLKFB,
    input  wire logic RST,
    input  wire logic STDBY,
    input  wire logic PHASESEL0,
    input  wire logic PHASESEL1,
    input  wire logic PHASEDIR,
    input  wire logic PHASESTEP,
    input  wire logic PHASELOADREG,
    input  wire logic PLLWAKESYNC,
    input  wire logic ENCLKOP,
    input  wire logic ENCLKOS,
    output logic      CLKOP,
    output logic      CLKOS,
    output logic      LOCK
);

  localparam int Measured = 64;  // periods of CLKI

  logic unused;
  assign unused = ^{CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
                    PLLWAKESYNC, ENCLKOP, ENCLKOS, CLKOP_CPHASE, CLKOS_CPHASE};

  longint begin_ps, span_ps;  // of the measured periods
  longint inner;  // in picoseconds, times Measured * CLKFB_DIV * CLKOP_DIV

  initial begin
    CLKOP = 1'b0;
    CLKOS = 1'b0;
    LOCK  = 1'b0;
    if (FEEDBK_PATH != "CLKOP" || CLKOP_ENABLE != "ENABLED" || CLKOS_ENABLE != "ENABLED") begin
      $fatal(1, "the model has CLKOP as feedback and CLKOS as output");
    end
    @(posedge CLKI);
    begin_ps = $time;
    repeat (Measured) @(posedge CLKI);
    span_ps = $time - begin_ps;
    inner = span_ps * 64'(CLKI_DIV);
    if (span_ps * 64'(CLKI_DIV) > 64'd100_000 * Measured) begin
      $fatal(1, "the compared frequency is below 10 MHz");
    end
    // An inner period of 1250 to 2500 ps is 800 to 400 MHz.
    if (inner < 64'd1250 * Measured * CLKFB_DIV * CLKOP_DIV
        || inner > 64'd2500 * Measured * CLKFB_DIV * CLKOP_DIV) begin
      $fatal(1, "the inner oscillator is beyond 400 to 800 MHz");
    end
    begin_ps = $time;
    LOCK = 1'b1;
  end

  // Edge number n of an output stands n half periods behind the lock.
  function automatic longint edge_ps(longint number, longint divider);
    return number * inner * divider / (2 * Measured * CLKFB_DIV * CLKOP_DIV);
  endfunction

  // verilator lint_off ZERODLY
  initial begin
    wait (LOCK);
    for (longint number = 1; ; number++) begin
      #(edge_ps(number, 64'(CLKOS_DIV)) - ($time - begin_ps));
      CLKOS = !CLKOS;
    end
  end

  initial begin
    wait (LOCK);
    for (longint number = 1; ; number++) begin
      #(edge_ps(number, 64'(CLKOP_DIV)) - ($time - begin_ps));
      CLKOP = !CLKOP;
    end
  end
  // verilator lint_on ZERODLY

endmodule

`default_nettype wire
