"""When beats move: exact cycles, FIFO depths, deadlock."""
