"""The process that searches a large adder graph: ``python -m quantunet.hls.matrix.constant_worker``.

da4ml holds Python's interpreter for as long as it searches, which may be minutes: no other thread goes on, and no
signal is seen. The kernel comes as JSON on standard input, and the graph goes to standard output as its last line.
"""

from __future__ import annotations

import sys

from quantunet.hls.matrix import constant_multiply

if __name__ == "__main__":
    sys.stdout.write(f"\n{constant_multiply.answer(sys.stdin.read())}\n")
