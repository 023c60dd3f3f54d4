// SPDX-License-Identifier: Apache-2.0
//
// Model of the block RAM of an ECP5 for simulations of netlists: 18 Kbit, two ports of 1 to 18 bits, or, where a port
// has 36 bits, port A to write and port B to read. What is not modelled ends the simulation, or its build.
//
// A port reads in the cycle in which it is enabled (CE, and CS equal to CSDECODE). In a cycle in which it writes it shows
// what WRITEMODE says: nothing new (NORMAL), the new word (WRITETHROUGH), or the old one (READBEFOREWRITE). With REGMODE
// OUTREG a register follows that OCE enables. RST clears what the port shows; a synchronous one keeps the port from
// writing, as Yosys supposes. Words of 18 and 36 bits are written in bytes of 9 bits, enabled by the lowest address bits.
//
// What the device does not promise must not matter, so the model then gives what is most likely wrong: a port that reads
// bits that the other one writes in the same cycle gets their complement, and before an output register a reset
// complements what was read. Two ports that write one bit at once fail an assertion.

`default_nettype none

module DP16KD #(
    parameter int DATA_WIDTH_A = 18,
    parameter int DATA_WIDTH_B = 18,
    parameter string REGMODE_A = "NOREG",
    parameter string REGMODE_B = "NOREG",
    parameter string RESETMODE = "SYNC",
    parameter string ASYNC_RESET_RELEASE = "SYNC",
    parameter string CSDECODE_A = "0b000",
    parameter string CSDECODE_B = "0b000",
    parameter string WRITEMODE_A = "NORMAL",
    parameter string WRITEMODE_B = "NORMAL",
    parameter string CLKAMUX = "CLKA",
    parameter string CLKBMUX = "CLKB",
    parameter string GSR = "DISABLED",
    parameter bit [319:0] INITVAL_00 = '0,
    parameter bit [319:0] INITVAL_01 = '0,
    parameter bit [319:0] INITVAL_02 = '0,
    parameter bit [319:0] INITVAL_03 = '0,
    parameter bit [319:0] INITVAL_04 = '0,
    parameter bit [319:0] INITVAL_05 = '0,
    parameter bit [319:0] INITVAL_06 = '0,
    parameter bit [319:0] INITVAL_07 = '0,
    parameter bit [319:0] INITVAL_08 = '0,
    parameter bit [319:0] INITVAL_09 = '0,
    parameter bit [319:0] INITVAL_0A = '0,
    parameter bit [319:0] INITVAL_0B = '0,
    parameter bit [319:0] INITVAL_0C = '0,
    parameter bit [319:0] INITVAL_0D = '0,
    parameter bit [319:0] INITVAL_0E = '0,
    parameter bit [319:0] INITVAL_0F = '0,
    parameter bit [319:0] INITVAL_10 = '0,
    parameter bit [319:0] INITVAL_11 = '0,
    parameter bit [319:0] INITVAL_12 = '0,
    parameter bit [319:0] INITVAL_13 = '0,
    parameter bit [319:0] INITVAL_14 = '0,
    parameter bit [319:0] INITVAL_15 = '0,
    parameter bit [319:0] INITVAL_16 = '0,
    parameter bit [319:0] INITVAL_17 = '0,
    parameter bit [319:0] INITVAL_18 = '0,
    parameter bit [319:0] INITVAL_19 = '0,
    parameter bit [319:0] INITVAL_1A = '0,
    parameter bit [319:0] INITVAL_1B = '0,
    parameter bit [319:0] INITVAL_1C = '0,
    parameter bit [319:0] INITVAL_1D = '0,
    parameter bit [319:0] INITVAL_1E = '0,
    parameter bit [319:0] INITVAL_1F = '0,
    parameter bit [319:0] INITVAL_20 = '0,
    parameter bit [319:0] INITVAL_21 = '0,
    parameter bit [319:0] INITVAL_22 = '0,
    parameter bit [319:0] INITVAL_23 = '0,
    parameter bit [319:0] INITVAL_24 = '0,
    parameter bit [319:0] INITVAL_25 = '0,
    parameter bit [319:0] INITVAL_26 = '0,
    parameter bit [319:0] INITVAL_27 = '0,
    parameter bit [319:0] INITVAL_28 = '0,
    parameter bit [319:0] INITVAL_29 = '0,
    parameter bit [319:0] INITVAL_2A = '0,
    parameter bit [319:0] INITVAL_2B = '0,
    parameter bit [319:0] INITVAL_2C = '0,
    parameter bit [319:0] INITVAL_2D = '0,
    parameter bit [319:0] INITVAL_2E = '0,
    parameter bit [319:0] INITVAL_2F = '0,
    parameter bit [319:0] INITVAL_30 = '0,
    parameter bit [319:0] INITVAL_31 = '0,
    parameter bit [319:0] INITVAL_32 = '0,
    parameter bit [319:0] INITVAL_33 = '0,
    parameter bit [319:0] INITVAL_34 = '0,
    parameter bit [319:0] INITVAL_35 = '0,
    parameter bit [319:0] INITVAL_36 = '0,
    parameter bit [319:0] INITVAL_37 = '0,
    parameter bit [319:0] INITVAL_38 = '0,
    parameter bit [319:0] INITVAL_39 = '0,
    parameter bit [319:0] INITVAL_3A = '0,
    parameter bit [319:0] INITVAL_3B = '0,
    parameter bit [319:0] INITVAL_3C = '0,
    parameter bit [319:0] INITVAL_3D = '0,
    parameter bit [319:0] INITVAL_3E = '0,
    parameter bit [319:0] INITVAL_3F = '0
) (
    input wire logic
        DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0,
    input wire logic
        ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input wire logic CLKA,
    input wire logic CEA,
    input wire logic OCEA,
    input wire logic WEA,
    input wire logic RSTA,
    input wire logic CSA2, CSA1, CSA0,
    output logic
        DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
        DOA3, DOA2, DOA1, DOA0,
    input wire logic
        DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0,
    input wire logic
        ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input wire logic CLKB,
    input wire logic CEB,
    input wire logic OCEB,
    input wire logic WEB,
    input wire logic RSTB,
    input wire logic CSB2, CSB1, CSB0,
    output logic
        DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0
);

  localparam int Rows = 512;  // of 36 bits
  localparam int Width[2] = '{DATA_WIDTH_A, DATA_WIDTH_B};
  localparam bit Pseudo = DATA_WIDTH_A == 36 || DATA_WIDTH_B == 36;  // port A writes, port B reads
  localparam bit Async = RESETMODE == "ASYNC";
  localparam bit Registered[2] = '{REGMODE_A == "OUTREG", REGMODE_B == "OUTREG"};
  localparam bit Through[2] = '{WRITEMODE_A == "WRITETHROUGH", WRITEMODE_B == "WRITETHROUGH"};
  localparam bit Kept[2] = '{WRITEMODE_A == "NORMAL", WRITEMODE_B == "NORMAL"};
  localparam bit Falling[2] = '{CLKAMUX == "INV", CLKBMUX == "INV"};
  localparam bit [2:0] Select[2] = '{select_code(CSDECODE_A), select_code(CSDECODE_B)};
  localparam bit [64*320-1:0] Initial = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };

  function automatic bit [2:0] select_code(string text);
    case (text)
      "0b000": return 3'd0;
      "0b001": return 3'd1;
      "0b010": return 3'd2;
      "0b011": return 3'd3;
      "0b100": return 3'd4;
      "0b101": return 3'd5;
      "0b110": return 3'd6;
      default: return 3'd7;
    endcase
  endfunction

  function automatic bit is_width(int width);
    return width == 1 || width == 2 || width == 4 || width == 9 || width == 18 || width == 36;
  endfunction

  if (!is_width(DATA_WIDTH_A) || !is_width(DATA_WIDTH_B)) begin : gen_width
    $fatal(1, "DP16KD: ports of %0d and %0d bits", DATA_WIDTH_A, DATA_WIDTH_B);
  end
  if (!(Kept[0] || Through[0] || WRITEMODE_A == "READBEFOREWRITE")
      || !(Kept[1] || Through[1] || WRITEMODE_B == "READBEFOREWRITE")) begin : gen_write_mode
    $fatal(1, "DP16KD: write modes %s and %s", WRITEMODE_A, WRITEMODE_B);
  end
  if (!(Registered[0] || REGMODE_A == "NOREG") || !(Registered[1] || REGMODE_B == "NOREG")
     ) begin : gen_register_mode
    $fatal(1, "DP16KD: register modes %s and %s", REGMODE_A, REGMODE_B);
  end
  if (!(Async || RESETMODE == "SYNC") || ASYNC_RESET_RELEASE != RESETMODE) begin : gen_reset
    $fatal(1, "DP16KD: reset %s, released %s", RESETMODE, ASYNC_RESET_RELEASE);
  end
  if ((Select[0] == 3'd7 && CSDECODE_A != "0b111") || (Select[1] == 3'd7 && CSDECODE_B != "0b111")
     ) begin : gen_select
    $fatal(1, "DP16KD: chip selects %s and %s", CSDECODE_A, CSDECODE_B);
  end
  if (!(Falling[0] || CLKAMUX == "CLKA") || !(Falling[1] || CLKBMUX == "CLKB")) begin : gen_clock
    $fatal(1, "DP16KD: clocks %s and %s", CLKAMUX, CLKBMUX);
  end
  if (GSR != "DISABLED" && GSR != "AUTO") begin : gen_global_reset
    $fatal(1, "DP16KD: the global reset is not modelled");
  end

  logic [13:0] address[2];
  logic [17:0] data[2];
  logic [1:0] clk, ce, oce, we, rst;
  logic [35:0] row[2];  // what each port's address holds
  logic [5:0] first[2];  // where its bits stand there
  logic [35:0] mask[2];  // and those that it writes
  logic [35:0] written[2];
  logic [35:0] clobbered[2];  // those that the other port writes at the same time
  logic [35:0] shown[2];

  assign address[0] = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  assign address[1] = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };
  assign data[0] = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0
  };
  assign data[1] = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0
  };
  assign clk = {CLKB ^ Falling[1], CLKA ^ Falling[0]};
  assign ce = {CEB && {CSB2, CSB1, CSB0} == Select[1], CEA && {CSA2, CSA1, CSA0} == Select[0]};
  assign oce = {OCEB, OCEA};
  assign we = {WEB, WEA};
  assign rst = {RSTB, RSTA};

  /* verilator lint_off MULTIDRIVEN */  // both ports write, each at its own clock
  logic [35:0] words[Rows];
  /* verilator lint_on MULTIDRIVEN */

  initial begin
    for (int r = 0; r < Rows; r++) begin
      words[r] = {Initial[40*r+20+:18], Initial[40*r+:18]};
    end
  end

  // The bits that an access of some width may write, from the first on.
  function automatic logic [35:0] enabled(int width, logic [3:0] low);
    case (width)
      36: return {{9{low[3]}}, {9{low[2]}}, {9{low[1]}}, {9{low[0]}}};
      18: return {18'd0, {9{low[1]}}, {9{low[0]}}};
      default: return (36'd1 << width) - 36'd1;
    endcase
  endfunction

  // Where in a row of 36 bits an access begins: the ninth bit of a byte is there for ports of 9 bits and more alone.
  function automatic logic [5:0] first_bit(int width, logic [4:0] low);
    logic [5:0] byte_begin = (low[4] ? 6'd18 : 6'd0) + (low[3] ? 6'd9 : 6'd0);
    case (width)
      36: return 6'd0;
      18: return low[4] ? 6'd18 : 6'd0;
      9: return byte_begin;
      4: return byte_begin + {3'd0, low[2], 2'd0};
      2: return byte_begin + {3'd0, low[2:1], 1'd0};
      default: return byte_begin + {3'd0, low[2:0]};
    endcase
  endfunction

  for (genvar p = 0; p < 2; p++) begin : gen_ports
    logic [35:0] fresh, latch_q, out_q;
    logic writes, sync_rst, async_rst;

    assign sync_rst = rst[p] && !Async;
    assign async_rst = rst[p] && Async;
    assign row[p] = words[address[p][13:5]];
    assign first[p] = first_bit(Width[p], address[p][4:0]);
    assign writes = ce[p] && we[p] && !sync_rst;
    assign mask[p] = writes ? enabled(Width[p], address[p][3:0]) << first[p] : '0;
    assign written[p] = (Width[p] == 36 ? {data[1], data[0]} : {18'd0, data[p]}) << first[p];
    assign clobbered[p] = address[0][13:5] == address[1][13:5] && clk[0] && clk[1] ? mask[1-p] : '0;
    assign fresh = Through[p] && writes ? (row[p] & ~mask[p]) | (written[p] & mask[p]) : row[p];

    initial begin
      latch_q = '0;
      out_q   = '0;
    end

    always_ff @(posedge clk[p] or posedge async_rst) begin
      if (async_rst) begin
        latch_q <= Registered[p] ? ~latch_q : '0;
        out_q   <= '0;
      end else begin
        if (ce[p] && !(Kept[p] && writes)) begin
          latch_q <= (fresh ^ clobbered[p]) >> first[p] & enabled(Width[p], 4'hf);
        end
        if (oce[p]) out_q <= latch_q;
        if (sync_rst) begin
          latch_q <= Registered[p] ? ~latch_q : '0;
          out_q   <= '0;
        end
      end
    end

    // Bit by bit, so that both ports can write to one row at once.
    always_ff @(posedge clk[p]) begin
      if (writes) begin
        for (int i = 0; i < 36; i++) begin
          if (mask[p][i]) words[address[p][13:5]][i] <= written[p][i];
        end
      end
      if ((mask[p] & clobbered[p]) != '0) begin
        assert (0)
        else $error("DP16KD: both ports write one bit");
      end
      if (p == 1 && Pseudo && we[p] && ce[p]) $fatal(1, "DP16KD: port B of 36 bits writes");
    end

    assign shown[p] = Registered[p] ? out_q : latch_q;
  end

  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0
  } = Pseudo ? shown[1][17:0] : shown[0][17:0];
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0
  } = DATA_WIDTH_B == 36 ? shown[1][35:18] : shown[1][17:0];

endmodule

`default_nettype wire
