"""Simulations of ``qun_reset_sync`` alone."""

from __future__ import annotations

from pathlib import Path

from helpers.rtl import Design

from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources

TOP = "qun_reset_sync"
BENCH = "helpers.benches.tb_reset_sync"


def design(rtl_folder: Path = RTL_FOLDER) -> Design:
    """Return the module."""
    return Design(library_sources({TOP}, rtl_folder), TOP)
