"""A network as an IP for other people's flows: one module for each format in which it is described."""
