"""How every text of SystemVerilog is made from a template: nothing undefined, no blank lines left by blocks."""

from __future__ import annotations

from pathlib import Path

import jinja2


def template_environment(folder: Path = Path(__file__).parent) -> jinja2.Environment:
    """Return the environment of the templates in a folder: by default those of this package."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
