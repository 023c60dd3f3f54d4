"""The C simulation: each layer and the network as an hls4ml project, compiled to a program."""
