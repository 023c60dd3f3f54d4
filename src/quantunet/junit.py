"""JUnit XML, which continuous integration reads: one test case for each thing that was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True)
class Case:
    """One thing that was checked.

    Attributes:
        name: Its name.
        problem: What is wrong; None where nothing is.
        detail: More about it.
        seconds: What it took; None where that was not measured.
    """

    name: str
    problem: str | None
    detail: str = ""
    seconds: float | None = None


def document(suite: str, classname: str, cases: Sequence[Case], seconds: float | None = None) -> bytes:
    """Return the XML of a suite.

    Args:
        suite: Name of the suite.
        classname: What the cases are of.
        cases: The cases.
        seconds: What the suite took; None where that was not measured.

    Example:
        >>> text = document("gates", "tiny", [Case("dice", "0.1 < 0.5")]).decode()
        >>> 'failures="1"' in text
        True
    """
    failed = sum(case.problem is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failed)}
    root = ElementTree.Element("testsuite", {"name": suite, **counts})
    if seconds is not None:
        root.set("time", f"{seconds:.1f}")
    for case in cases:
        entry = ElementTree.SubElement(root, "testcase", classname=classname, name=case.name)
        if case.seconds is not None:
            entry.set("time", f"{case.seconds:.2f}")
        if case.problem is not None:
            ElementTree.SubElement(entry, "failure", message=case.problem).text = case.detail
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data
