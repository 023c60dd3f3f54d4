// The block RAM cell of an ECP5 as the synthesis flow uses it: words of 1 to 18 bits on each port, or of 36 bits on
// port A to write and 1 to 36 on port B to read; with or without the output registers. Resets, chip selects, inverted
// clocks and ports that read what they write end the simulation, or its build. What one port reads while the other one
// writes it is not modelled: the netlist's design must not use it.
module DP16KD #(
    parameter int DATA_WIDTH_A = 18,
    parameter int DATA_WIDTH_B = 18,
    parameter string REGMODE_A = "NOREG",
    parameter string REGMODE_B = "NOREG",
    parameter string RESETMODE = "SYNC",
    parameter string ASYNC_RESET_RELEASE = "SYNC",
    parameter string CSDECODE_A = "0b000",
    parameter string CSDECODE_B = "0b000",
    parameter string CLKAMUX = "CLKA",
    parameter string CLKBMUX = "CLKB",
    parameter string WRITEMODE_A = "NORMAL",
    parameter string WRITEMODE_B = "NORMAL",
    parameter string GSR = "AUTO",
    parameter logic [319:0] INITVAL_00 = 0,
    parameter logic [319:0] INITVAL_01 = 0,
    parameter logic [319:0] INITVAL_02 = 0,
    parameter logic [319:0] INITVAL_03 = 0,
    parameter logic [319:0] INITVAL_04 = 0,
    parameter logic [319:0] INITVAL_05 = 0,
    parameter logic [319:0] INITVAL_06 = 0,
    parameter logic [319:0] INITVAL_07 = 0,
    parameter logic [319:0] INITVAL_08 = 0,
    parameter logic [319:0] INITVAL_09 = 0,
    parameter logic [319:0] INITVAL_0A = 0,
    parameter logic [319:0] INITVAL_0B = 0,
    parameter logic [319:0] INITVAL_0C = 0,
    parameter logic [319:0] INITVAL_0D = 0,
    parameter logic [319:0] INITVAL_0E = 0,
    parameter logic [319:0] INITVAL_0F = 0,
    parameter logic [319:0] INITVAL_10 = 0,
    parameter logic [319:0] INITVAL_11 = 0,
    parameter logic [319:0] INITVAL_12 = 0,
    parameter logic [319:0] INITVAL_13 = 0,
    parameter logic [319:0] INITVAL_14 = 0,
    parameter logic [319:0] INITVAL_15 = 0,
    parameter logic [319:0] INITVAL_16 = 0,
    parameter logic [319:0] INITVAL_17 = 0,
    parameter logic [319:0] INITVAL_18 = 0,
    parameter logic [319:0] INITVAL_19 = 0,
    parameter logic [319:0] INITVAL_1A = 0,
    parameter logic [319:0] INITVAL_1B = 0,
    parameter logic [319:0] INITVAL_1C = 0,
    parameter logic [319:0] INITVAL_1D = 0,
    parameter logic [319:0] INITVAL_1E = 0,
    parameter logic [319:0] INITVAL_1F = 0,
    parameter logic [319:0] INITVAL_20 = 0,
    parameter logic [319:0] INITVAL_21 = 0,
    parameter logic [319:0] INITVAL_22 = 0,
    parameter logic [319:0] INITVAL_23 = 0,
    parameter logic [319:0] INITVAL_24 = 0,
    parameter logic [319:0] INITVAL_25 = 0,
    parameter logic [319:0] INITVAL_26 = 0,
    parameter logic [319:0] INITVAL_27 = 0,
    parameter logic [319:0] INITVAL_28 = 0,
    parameter logic [319:0] INITVAL_29 = 0,
    parameter logic [319:0] INITVAL_2A = 0,
    parameter logic [319:0] INITVAL_2B = 0,
    parameter logic [319:0] INITVAL_2C = 0,
    parameter logic [319:0] INITVAL_2D = 0,
    parameter logic [319:0] INITVAL_2E = 0,
    parameter logic [319:0] INITVAL_2F = 0,
    parameter logic [319:0] INITVAL_30 = 0,
    parameter logic [319:0] INITVAL_31 = 0,
    parameter logic [319:0] INITVAL_32 = 0,
    parameter logic [319:0] INITVAL_33 = 0,
    parameter logic [319:0] INITVAL_34 = 0,
    parameter logic [319:0] INITVAL_35 = 0,
    parameter logic [319:0] INITVAL_36 = 0,
    parameter logic [319:0] INITVAL_37 = 0,
    parameter logic [319:0] INITVAL_38 = 0,
    parameter logic [319:0] INITVAL_39 = 0,
    parameter logic [319:0] INITVAL_3A = 0,
    parameter logic [319:0] INITVAL_3B = 0,
    parameter logic [319:0] INITVAL_3C = 0,
    parameter logic [319:0] INITVAL_3D = 0,
    parameter logic [319:0] INITVAL_3E = 0,
    parameter logic [319:0] INITVAL_3F = 0
) (
    input logic CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
    input logic CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
    input logic ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
        ADA0,
    input logic ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
        ADB0,
    input logic DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
        DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input logic DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
        DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    output logic DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
        DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    output logic DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
        DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);

  localparam bit Wide = DATA_WIDTH_A == 36;  // port A only writes, port B only reads

  if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB" || WRITEMODE_A == "WRITETHROUGH" || WRITEMODE_B == "WRITETHROUGH"
      || CSDECODE_A != "0b000" || CSDECODE_B != "0b000"
      || (DATA_WIDTH_B == 36 && !Wide)) begin : gen_mode
    $fatal(1, "DP16KD: a mode that is not modelled");
  end

  wire logic [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3,
      ADA2, ADA1, ADA0};
  wire logic [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3,
      ADB2, ADB1, ADB0};
  wire logic [17:0] dia = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
      DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire logic [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
      DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire logic [20479:0] initial_words = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };
  logic [8:0] bytes[2048];  // parity bits stand above their bytes
  logic [35:0] read_a, read_b, read_a_q, read_b_q, out_a_q, out_b_q;

  initial begin
    for (int i = 0; i < 1024; i++) begin
      {bytes[2*i+1], bytes[2*i]} = initial_words[20*i+:18];
    end
  end

  function automatic logic [35:0] word(logic [13:0] address, int width);
    if (width == 36) begin
      return {
        bytes[{address[13:5], 2'd3}], bytes[{address[13:5], 2'd2}],
        bytes[{address[13:5], 2'd1}], bytes[{address[13:5], 2'd0}]
      };
    end
    if (width == 18) begin
      return 36'({bytes[{address[13:4], 1'b1}], bytes[{address[13:4], 1'b0}]});
    end
    return (width == 9) ? 36'(bytes[address[13:3]]) : 36'(bytes[address[13:3]] >> address[2:0]);
  endfunction

  function automatic void put(logic [13:0] address, int width, logic [35:0] data);
    if (width >= 18) begin
      for (int i = 0; i < width / 9; i++) begin
        if (address[i]) begin
          bytes[((width == 36) ? {address[13:5], 2'd0} : {address[13:4], 1'b0}) + 11'(i)] = data[9*i+:9];
        end
      end
    end else begin
      for (int i = 0; i < width; i++) begin
        bytes[address[13:3]][(width == 9) ? i : 32'(address[2:0]) + i] = data[i];
      end
    end
  endfunction

  always_ff @(posedge CLKA) begin
    if (OCEA) begin
      out_a_q <= read_a_q;
    end
    if (CEA && !(WEA && WRITEMODE_A == "NORMAL")) begin
      read_a_q <= word(ada, DATA_WIDTH_A);
    end
    if (CEA && WEA) begin
      put(ada, DATA_WIDTH_A, Wide ? {dib, dia} : 36'(dia));
    end
  end

  always_ff @(posedge CLKB) begin
    if (OCEB) begin
      out_b_q <= read_b_q;
    end
    if (CEB && !(WEB && WRITEMODE_B == "NORMAL")) begin
      read_b_q <= word(adb, DATA_WIDTH_B);
    end
    if (CEB && WEB && !Wide) begin
      put(adb, DATA_WIDTH_B, 36'(dib));
    end
  end

  assign read_a = (REGMODE_A == "OUTREG") ? out_a_q : read_a_q;
  assign read_b = (REGMODE_B == "OUTREG") ? out_b_q : read_b_q;
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
      DOA4, DOA3, DOA2, DOA1, DOA0} = (DATA_WIDTH_B == 36) ? read_b[17:0] : read_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
      DOB4, DOB3, DOB2, DOB1, DOB0} = Wide ? ((DATA_WIDTH_B == 36) ? read_b[35:18] : read_b[17:0]) :
      read_b[17:0];

  always_comb begin
    if (RSTA || RSTB || CSA0 || CSA1 || CSA2 || CSB0 || CSB1 || CSB2) begin
      $fatal(1, "DP16KD: resets and chip selects are not modelled");
    end
    if (Wide && WEB) begin
      $fatal(1, "DP16KD: port B of a memory of 36 bits only reads");
    end
  end

endmodule
