"""Where results of a network go, and how old ones make room for new ones."""

from __future__ import annotations

import re
from pathlib import Path

from quantunet.errors import StorageError
from quantunet.ir import Graph
from quantunet.provenance import graph_digest

_DIGITS = 8
_NAME = 40  # characters; some file systems allow 143 for a name, and tools add their own
_OTHER = re.compile(r"[^A-Za-z0-9_]")


def network_folder(root: Path, graph: Graph) -> Path:
    """Return the folder of all results of a network: ``root/<network>-<digest>``.

    Two networks of one name have two folders; a network with another folding, or from a file of another kind, has one.

    Args:
        root: The folder of all networks.
        graph: The network. Of its name, at most 40 letters, digits and ``_`` are kept.
    """
    return named_folder(root, graph.name, graph_digest(graph))


def named_folder(root: Path, name: str, digest: str) -> Path:
    """Return the folder of all results of what has a name and a digest: see :func:`network_folder`."""
    return root / f"{_OTHER.sub('_', name)[:_NAME] or 'network'}-{digest[:_DIGITS]}"


def remove(*paths: Path) -> None:
    """Remove files of an earlier run, so that one that fails leaves nothing that looks like its result.

    Args:
        paths: Files; those that do not exist are left out.

    Raises:
        StorageError: One cannot be removed.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            continue  # a file stands where the folder should be: whoever writes there says so
        except OSError as error:
            raise StorageError(
                str(path),
                expected="a file of an earlier run that can be removed",
                got=error.strerror or str(error),
                hint="Check the permissions, or choose another folder.",
            ) from error
