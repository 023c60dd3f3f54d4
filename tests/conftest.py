"""What every test needs, wherever it is run from."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest

# A shell starts what it puts into the background with Ctrl-C ignored, and so are the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A test that leaves logging disabled takes the warnings from those that wait for them."""
    yield
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    assert disabled == logging.NOTSET
