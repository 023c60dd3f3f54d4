"""Integer inference in NumPy: the definition of every op."""
