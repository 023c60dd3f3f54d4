"""Which fold each layer gets: the default one, or the best by exact search."""
