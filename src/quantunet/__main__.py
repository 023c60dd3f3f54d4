"""``python -m quantunet`` is the ``quantunet`` command."""

import sys

from quantunet.cli import main

sys.exit(main())
