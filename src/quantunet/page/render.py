"""A page becomes a file: one HTML text in which every name is escaped."""

from __future__ import annotations

import base64
import functools
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quantunet import __version__
from quantunet.page.parts import Page
from quantunet.storage import write_bytes

if TYPE_CHECKING:
    import jinja2

logger = logging.getLogger(__name__)

NAME = "report.html"
"""The page beside a report."""

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST = 2000
# What a browser obeys, or shows as nothing: control characters, marks that turn the direction of writing, surrogates.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)


def shown(text: object) -> str:
    """Return a text as it may stand in a page: what cannot be seen is spelled, and a very long one is cut.

    >>> shown("a" + chr(0) + "b") == "a" + chr(92) + "x00b", len(shown("x" * 9999))
    (True, 2001)
    """
    plain = str(text)
    plain = plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"
    return _UNSEEN.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode(), plain)


def _pieces(text: object) -> list[str]:
    """Return a text in pieces between which a line may break: behind every ``_``."""
    return re.findall(r"[^_]*_|[^_]+", shown(text))


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2  # not with this module: a command that writes no page needs none

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    environment.filters["pieces"] = _pieces
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    return environment


def render(page: Page) -> str:
    """Return a page as HTML."""
    return _environment().get_template("page.html.j2").render(page=page, version=__version__)


def written(folder: Path) -> list[Path]:
    """Return the page in a folder as a list, which is empty where none could be written."""
    return [path for path in (folder / NAME,) if path.is_file()]


def write_page(path: Path, make: Callable[[], Page]) -> Path | None:
    """Write a page, whole or not at all.

    A page is an addition: where it cannot be made or written, the command's own results stand and its exit code is that
    of them. So whatever goes wrong here is a warning.

    Args:
        path: The file.
        make: Makes the page.

    Returns:
        The file; ``None`` where there is none.
    """
    try:
        path.unlink(missing_ok=True)  # an earlier one would be taken for this run's
        write_bytes(path, render(make()).encode())
    except Exception as error:
        logger.warning("no page %s: %s: %s", path, type(error).__name__, error)
        logger.info("where it happened", exc_info=True)
        return None
    return path
