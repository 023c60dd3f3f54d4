"""The command line's exit codes."""

SUCCESS = 0

DIFFERENCE = 1
"""Something was compared and differs, or does not fit what it was compared with."""

BAD_INPUT = 2
"""The input is bad, or a tool, the disk or the memory failed: every :class:`~quantunet.errors.QuantUNetError`."""

FAULT = 3
"""The program is at fault: every exception that nobody expected."""

BROKEN_PIPE = 141
"""Who read the output has closed it, as ``head`` does; as shells count signals, 128 and the number of SIGPIPE."""

MEANINGS = (
    "exit codes: 0 all well; 1 something was compared and differs, or does not fit; 2 the input is bad or a tool "
    "failed, and one sentence says what and where; 3 the program is at fault, please report it"
)
"""For the help text."""
