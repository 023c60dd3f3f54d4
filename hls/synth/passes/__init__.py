"""Yosys passes of our own: carry chains, and the absorption of registers."""
