"""Tests that need Keras 3; without it nothing here is collected."""

from __future__ import annotations

import importlib.util
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

# This folder's own name is found as a package without an origin where Keras is not installed.
_found = importlib.util.find_spec("keras")
collect_ignore_glob = [] if _found is not None and _found.origin is not None else ["test_*.py"]
