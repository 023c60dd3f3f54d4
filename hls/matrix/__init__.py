"""What the two matrix ops share in hardware: the folded unit, and convolutions by constants."""
