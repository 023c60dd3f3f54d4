"""The device that hls4ml projects name where nobody chose one: that of the Arty A7, a board for AMD's tools."""

from __future__ import annotations

from quantunet.constraints.board import load_board

_BOARD = load_board("arty_a7_100t")

PART = _BOARD.part
CLOCK_NS = 1000 / _BOARD.clk_mhz
