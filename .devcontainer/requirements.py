"""Print what the package needs with some of its extras and groups, a requirement a line: ``requirements.py hls sim``.

pip takes no folder where it is to compare digests, so that an image installs the names first, by locked.txt.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def requirements(names: list[str]) -> list[str]:
    """Return the requirements of the package, of its build, and of extras and dependency groups.

    Args:
        names: Of extras and groups.

    Raises:
        SystemExit: There is no such extra or group.
    """
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, chosen = document["project"], document["project"]["optional-dependencies"] | document["dependency-groups"]
    unknown = [name for name in names if name not in chosen]
    if unknown:
        message = f"expected some of {', '.join(sorted(chosen))}, got {', '.join(unknown)}"
        raise SystemExit(message)
    found = [*project["dependencies"], *document["build-system"]["requires"]]
    return list(dict.fromkeys([*found, *(line for name in names for line in chosen[name])]))


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(sys.argv[1:])) + "\n")
