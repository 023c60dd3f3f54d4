"""Trained networks: a QONNX file each, and a card (JSON) that says how it was trained and what it scores."""
