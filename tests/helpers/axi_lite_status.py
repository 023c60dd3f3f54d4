"""Simulations of ``qun_axi_lite_status`` alone."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.rtl import Design

from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources

TOP = "qun_axi_lite_status"
BENCH = "helpers.benches.tb_axi_lite_status"
REGULAR = "(every|writes|frames)_.*"
"""The tests of the bench in which the master keeps to the protocol."""

_DIGEST = 0x0123456789ABCDEF
_BEATS = 5


def design(folder: Path, rtl_folder: Path = RTL_FOLDER) -> Design:
    """Return the module, and write what its bench needs into its working folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps({"digest": _DIGEST, "beats": _BEATS}), encoding="utf-8")
    digest = f"-GDigest=64'h{_DIGEST:x}"  # wider than a parameter that is a plain number
    return Design(library_sources({TOP}, rtl_folder), TOP, {"Beats": _BEATS}, (digest,))
