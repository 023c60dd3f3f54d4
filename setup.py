"""What the package index shows of the project and no table can say: its README with links that lead out of a checkout.

Everything else stands in pyproject.toml, where ``tool.quantunet.repository`` is the address that links lead to.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from setuptools import setup

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent
VARIABLE = "QUANTUNET_REPOSITORY"
"""Environment variable that takes the place of the address in pyproject.toml, for whoever publishes a copy."""

PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def readme(text: str, repository: str, tag: str) -> str:
    """Return README with absolute links and pictures; without an address, with the words of the links alone.

    Args:
        text: README.md.
        repository: Address of the repository, without a slash at its end; empty where there is none.
        tag: Of the release, whose files are linked to.
    """

    def absolute(found: re.Match[str]) -> str:
        target, picture = found["target"], found.re is PICTURE
        if re.match(r"https?://|mailto:", target):
            return found[0]
        if not repository:
            return f"*{found['text']}*" if picture else found["text"]
        where = f"{repository}/blob/{tag}/README.md" if target.startswith("#") else f"{repository}/blob/{tag}/"
        if picture:
            where = f"{repository}/raw/{tag}/"
        return f"{'!' if picture else ''}[{found['text']}]({where}{target})"

    return LINK.sub(absolute, PICTURE.sub(absolute, text))


def urls(repository: str, tag: str) -> dict[str, str]:
    """Return the addresses that the package index shows beside the paper."""
    if not repository:
        return {}
    return {
        "Repository": repository,
        "Documentation": f"{repository}/tree/{tag}/docs",
        "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }


def main() -> None:
    """Build."""
    own = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["quantunet"]
    repository = os.environ.get(VARIABLE, own["repository"]).rstrip("/")
    package = (ROOT / "src" / "quantunet" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "([^"]+)"', package, re.MULTILINE)
    if version is None:
        message = 'src/quantunet/__init__.py: expected the version in a line __version__ = "…", got none'
        raise SystemExit(message)
    tag = f"v{version[1]}"
    setup(
        long_description=readme((ROOT / "README.md").read_text(encoding="utf-8"), repository, tag),
        long_description_content_type="text/markdown",
        project_urls={"Paper": own["paper"], **urls(repository, tag)},
    )


if __name__ == "__main__":
    main()
