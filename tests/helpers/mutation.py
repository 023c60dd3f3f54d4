"""Faults put into copies of the hardware, to see that a check finds them."""

from __future__ import annotations

from pathlib import Path

from quantunet.streams import binary_file


def flip_nibble(path: Path, line: int = 0, digit: int = 0) -> None:
    """Flip the bits of one hexadecimal digit of a memory, in the text that synthesis reads and in the packed binary."""
    lines = path.read_text(encoding="utf-8").splitlines()
    flipped = f"{int(lines[line][digit], 16) ^ 0xF:x}"
    lines[line] = lines[line][:digit] + flipped + lines[line][digit + 1 :]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    even = len(lines[0]) % 2 * "0"
    binary_file(path).write_bytes(bytes.fromhex("".join(even + word for word in lines)))
