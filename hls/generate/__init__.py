"""Files on disk: the RTL project of a network or a layer."""
