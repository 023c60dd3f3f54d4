"""What several modules are built of: the register slice and the credit FIFO."""

from __future__ import annotations

from quantunet.hls.resources.terms import Terms

SLICE_BEATS = 2
"""Beats that a ``qun_register_slice`` holds."""

CREDITS = 16
"""Beats of the output FIFO of a convolution, ``qun_credit_fifo``, at least."""


def add_slice(terms: Terms, bits: int) -> None:
    """Add ``qun_register_slice`` to the terms of a module."""
    terms.add("lut", slice_bits=bits, slices=1)
    terms.add("ff", registers=2 * bits + 2)
