"""The command line's exit codes."""

SUCCESS = 0

DIFFERENCE = 1
"""Something was compared and differs, or does not fit."""

BAD_INPUT = 2
"""Every :class:`~quantunet.errors.QuantUNetError`."""
