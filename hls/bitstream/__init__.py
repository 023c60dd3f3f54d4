"""From a network to a bitstream: one synthesis of the whole, place and route, packing, and what came out."""
