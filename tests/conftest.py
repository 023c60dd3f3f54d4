"""What every test needs, wherever it is run from."""

from __future__ import annotations

import signal

# A shell starts what it puts into the background with Ctrl-C ignored, and so are the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
