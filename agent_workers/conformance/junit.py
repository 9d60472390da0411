"""The report as JUnit XML, which every CI system shows: one suite for each level."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from agent_workers.conformance.case import LEVELS
from agent_workers.conformance.report import PAGE
from agent_workers.conformance.verdict import diagnostics, excerpt

if TYPE_CHECKING:
    from agent_workers.conformance.report import Report
    from agent_workers.conformance.verdict import Verdict

_PACKAGE = "agent_workers.conformance"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    """Returns the document. It has all that the strictest readers ask for: names, times, counts, and their order."""
    root = ET.Element("testsuites")
    levels = [level for level in LEVELS if any(verdict.case.level == level for verdict in report.verdicts)]
    for number, level in enumerate(levels):
        _add_suite(root, report, level, number)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_suite(root: ET.Element, report: Report, level: str, number: int) -> None:
    verdicts = [verdict for verdict in report.verdicts if verdict.case.level == level]
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": level,
            "package": _PACKAGE,
            "id": str(number),
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": "localhost",
            "tests": str(len(verdicts)),
            "failures": str(len(report.of("failed", level))),
            "errors": "0",
            "skipped": str(len(report.of("skipped", level))),
            "time": _seconds(sum(verdict.took_s for verdict in verdicts)),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("command", " ".join(report.command)), ("profile", report.profile)):
        ET.SubElement(properties, "property", {"name": name, "value": _allowed(value)})
    for verdict in verdicts:
        _add_case(suite, verdict)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")


def _add_case(suite: ET.Element, verdict: Verdict) -> None:
    case = verdict.case
    about = {"name": case.id, "classname": f"{_PACKAGE}.{case.level}", "time": _seconds(verdict.took_s)}
    element = ET.SubElement(suite, "testcase", about)
    if verdict.status == "skipped":
        ET.SubElement(element, "skipped", {"message": _allowed(verdict.reason)})
    elif verdict.status == "failed":
        failure = ET.SubElement(element, "failure", {"message": case.title, "type": "contract"})
        failure.text = _allowed("\n".join(_told(verdict)))


def _told(verdict: Verdict) -> list[str]:
    case, seen = verdict.case, verdict.recording
    lines = [f"contract: {case.rule} ({PAGE}, {case.section})"]
    lines += [f"sent: {words}" for words in (seen.sent if seen else [])]
    for finding in verdict.findings:
        where = f" [in the run of {finding.where}]" if finding.where else ""
        lines += [f"expected: {finding.expected}", f"came: {finding.came}{where}"]
    lines += [f"stdout: {line}" for line in (excerpt(seen) if seen else [])]
    lines += [f"stderr: {diagnostics(seen)}"] if seen and seen.stderr else []
    return [*lines, f"mend it: {case.cure}"]


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _allowed(text: str) -> str:
    """Replaces the characters that no XML document may hold."""
    return _FORBIDDEN.sub("\ufffd", text)
