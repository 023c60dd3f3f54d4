## Digilent Arty Z7-20, xc7z020clg400-1: clock, reset, lamps of the programmable logic. The PYNQ-Z1 has them on the same pins.

## Clock of the Ethernet chip, 125 MHz; the processor is not needed for it.
set_property -dict { PACKAGE_PIN H16 IOSTANDARD LVCMOS33 } [get_ports { clk }]
create_clock -add -name clk -period 8.00 -waveform {0 4} [get_ports { clk }]

## Switch SW0: down resets. The buttons are high while pressed.
set_property -dict { PACKAGE_PIN M20 IOSTANDARD LVCMOS33 } [get_ports { rst_n }]

## Lamps LD0 to LD3, lit by 1.
set_property -dict { PACKAGE_PIN R14 IOSTANDARD LVCMOS33 } [get_ports { led[0] }]
set_property -dict { PACKAGE_PIN P14 IOSTANDARD LVCMOS33 } [get_ports { led[1] }]
set_property -dict { PACKAGE_PIN N16 IOSTANDARD LVCMOS33 } [get_ports { led[2] }]
set_property -dict { PACKAGE_PIN M14 IOSTANDARD LVCMOS33 } [get_ports { led[3] }]
