"""U-Net, learned bit-widths, training and export: the only room that knows torch."""
