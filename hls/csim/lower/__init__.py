"""From the integer graph to hls4ml layers: one file an op, put together in :mod:`quantunet.hls.csim.lower.network`."""
