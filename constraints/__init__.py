"""One folder per board: its pins, clocks and resource budget."""
