// Read-only memory from a file of hexadecimal words; latency 1 (registered read, which maps to
// block RAM), one word a cycle, element 0 of a word in its least significant bits.
module qun_rom #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Depth = 1,
    parameter string File = "",
    localparam int unsigned AddrBits = (Depth > 1) ? $clog2(Depth) : 1
) (
    input  logic                clk,
    input  logic                read,
    input  logic [AddrBits-1:0] addr,
    output logic [Bits-1:0]     data_q
);

  (* no_rw_check *)
  logic [Bits-1:0] words[Depth];

  initial begin
    $readmemh(File, words);
  end

  always_ff @(posedge clk) begin
    if (read) begin
      data_q <= words[addr];
    end
  end

endmodule
