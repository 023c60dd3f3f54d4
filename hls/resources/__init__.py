"""What modules take of a device: terms, their calibration, and how memories are mapped."""
