module products (input wire logic clk, input wire logic signed [3:0] a, b, c, d, output logic signed [8:0] sums_q);
  always_ff @(posedge clk) sums_q <= a * b + c * d;
endmodule

module layer (input wire logic clk, input wire logic [8:0] x, output logic [8:0] y);
  logic [8:0] sums;
  products u_products (.clk(clk), .a(x[3:0]), .b(x[7:4]), .c(x[8:5]), .d(x[4:1]), .sums_q(sums));
  always_ff @(posedge clk) y <= sums;
endmodule

module store (input wire logic clk, input wire logic [8:0] x, output logic [8:0] word_q);
  (* ram_style = "block" *) logic [8:0] words[1024];
  logic [8:0] read_q;
  logic [9:0] count_q = '0;
  always_ff @(posedge clk) begin
    count_q <= count_q + 1'b1;
    words[{1'b0, x}] <= x;
    read_q <= words[count_q];
    if (count_q[3:0] == 4'd9) word_q <= read_q ^ x;
  end
endmodule

module recorded (input wire logic clk, input wire logic [8:0] in, output logic [8:0] out, output logic gated);
  logic [8:0] in_q, one, two;
  layer u_layer (.clk(clk), .x(in_q), .y(one));
  store u_store (.clk(clk), .x(one), .word_q(two));
  always_ff @(posedge clk) begin
    in_q <= in;
    out <= two;
    gated <= in[0] & two[0];
  end
endmodule
