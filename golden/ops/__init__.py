"""One file an op: its formula in plain int64 NumPy."""
