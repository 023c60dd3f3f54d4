"""Synthesis of layers and networks: Yosys for open devices, Vitis HLS where it is installed."""
