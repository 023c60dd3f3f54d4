// SPDX-License-Identifier: Apache-2.0
//
// Memories that an ECP5 has as block RAM, as RTL: two ports that both read and write, and a pseudo dual-port one.

`default_nettype none

// Words of up to 18 bits. Mode: 0 shows nothing new while it writes, 1 the new word, 2 the old one.
module dual #(
    parameter int unsigned Bits = 18,
    parameter int unsigned Mode = 0,
    parameter int unsigned Rows = 1024
) (
    input  wire logic            clk,
    input  wire logic            rst,
    input  wire logic [1:0]      ce,
    input  wire logic [1:0]      we,
    input  wire logic [13:0]     a,
    input  wire logic [13:0]     b,
    input  wire logic [17:0]     da,
    input  wire logic [17:0]     db,
    output logic      [Bits-1:0] qa,
    output logic      [Bits-1:0] qb
);
  localparam int unsigned AddrBits = $clog2(Rows);

  (* ram_style = "block", no_rw_check *)
  logic [Bits-1:0] words[Rows];
  logic unused;

  assign unused = ^{rst, a, b, da, db};

  initial begin
    $readmemh("words.mem", words);
  end

  always @(posedge clk) begin
    if (ce[0]) begin
      if (we[0]) words[a[13-:AddrBits]] <= da[Bits-1:0];
      if (Mode == 1 && we[0]) qa <= da[Bits-1:0];
      else if (Mode == 2 || !we[0]) qa <= words[a[13-:AddrBits]];
    end
  end
  always @(posedge clk) begin
    if (ce[1]) begin
      if (we[1]) words[b[13-:AddrBits]] <= db[Bits-1:0];
      if (Mode == 1 && we[1]) qb <= db[Bits-1:0];
      else if (Mode == 2 || !we[1]) qb <= words[b[13-:AddrBits]];
    end
  end
endmodule

// 512 words of 36 bits, written in bytes of 9 bits. Reset: 0 has none, 1 is synchronous, 2 is not.
module pseudo #(
    parameter int unsigned Reset = 0
) (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic [1:0]  ce,
    input  wire logic [1:0]  we,
    input  wire logic [13:0] a,
    input  wire logic [13:0] b,
    input  wire logic [17:0] da,
    input  wire logic [17:0] db,
    output logic      [17:0] qa,
    output logic      [17:0] qb
);
  (* ram_style = "block", no_rw_check *)
  logic [35:0] words[512];
  logic [35:0] data_q;
  logic unused;

  assign unused = ^{a, b, rst};
  assign {qb, qa} = data_q;

  initial begin
    $readmemh("words.mem", words);
  end

  always @(posedge clk) begin
    for (int i = 0; i < 4; i++) begin
      if (ce[0] && (we[0] || i > 1) && (we[1] || i < 2 || i == 3)) begin
        words[a[13:5]][9*i+:9] <= i < 2 ? da[9*(i%2)+:9] : db[9*(i%2)+:9];
      end
    end
  end

  if (Reset == 2) begin : gen_async
    always_ff @(posedge clk or posedge rst) begin
      if (rst) data_q <= '0;
      else if (ce[1]) data_q <= words[b[13:5]];
    end
  end else begin : gen_sync
    always_ff @(posedge clk) begin
      if (ce[1]) data_q <= words[b[13:5]];
      if (Reset == 1 && rst) data_q <= '0;
    end
  end
endmodule

// The memory that is read through an output register: an edit of the netlist, so that Yosys' own passes have no part in
// it. `rst` is its enable. With Select, a port works only where `da`, or `db`, begins with 5.
module registered #(
    parameter bit Register = 1'b1,
    parameter bit Select = 1'b0
) (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic [1:0]  ce,
    input  wire logic [1:0]  we,
    input  wire logic [13:0] a,
    input  wire logic [13:0] b,
    input  wire logic [17:0] da,
    input  wire logic [17:0] db,
    output logic      [17:0] qa,
    output logic      [17:0] qb
);
  logic [17:0] word_a, word_b, out_a, out_b;
  logic [1:0] chosen;

  assign chosen = {!Select || db[2:0] == 3'd5, !Select || da[2:0] == 3'd5};

  dual #(
      .Bits(18),
      .Mode(2)
  ) u_dual (
      .clk(clk),
      .rst(rst),
      .ce(ce & chosen),
      .we(we),
      .a(a),
      .b(b),
      .da(da),
      .db(db),
      .qa(word_a),
      .qb(word_b)
  );

  initial begin
    out_a = '0;
    out_b = '0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_a <= word_a;
      out_b <= word_b;
    end
  end

  assign qa = Register ? out_a : word_a;
  assign qb = Register ? out_b : word_b;
endmodule

`default_nettype wire
