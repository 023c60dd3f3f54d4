"""``python -m quantunet`` is the ``quantunet`` command."""

from quantunet.cli import program

program()
