"""A network as a MONAI bundle: what stands in it, and the torch module that computes its integers."""
