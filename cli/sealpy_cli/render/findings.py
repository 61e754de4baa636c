"""Findings for people and for programs."""

import json
import os
import shlex
from binascii import b2a_base64
from collections.abc import Iterator, Mapping

from sealpy.checking.findings import SEVERITIES, Finding
from sealpy.sanitise import visible
from sealpy_cli.checked import Report

SCHEMA = "sealpy.check/1"

_COLOURS = {"error": "1;31", "warning": "33", "note": "2"}
_MARGIN = " " * 9


def as_text(report: Report, top: str, *, colour: bool) -> Iterator[str]:
    """Write findings, what is wrong first and the id after it; a line never begins with text from outside."""
    findings = report.findings
    for number, finding in enumerate(findings):
        word = f"{finding.severity:<8}"
        sign = f"\033[{_COLOURS[finding.severity]}m{word}\033[0m" if colour else word
        place = visible(from_here(finding.path, top)) + (f":{finding.line}" if finding.line else "")
        yield f"{sign} {place}: {visible(finding.message)}  ({finding.id})\n"
        following = findings[number + 1] if number + 1 < len(findings) else None
        if finding.fix and (following is None or (following.path, following.fix) != (finding.path, finding.fix)):
            yield f"{_MARGIN}to mend it: {command(finding, top)}\n"
    yield f"{summary(report)}\n"


def as_json(report: Report, top: str, fail_on: str) -> str:
    """Write one document; nothing in it acts on a terminal, and the same input gives the same bytes."""
    document = {
        "schema": SCHEMA,
        "fail_on": fail_on,
        "findings": [
            {
                "id": finding.id,
                "severity": finding.severity,
                "title": finding.title,
                "path": text(finding.path),
                "line": finding.line or None,
                "key": text(finding.key) if finding.key else None,
                "message": visible(finding.message),
                "fix": command(finding, top) or None,
            }
            for finding in report.findings
        ],
        "summary": {
            "files": report.files,
            "encrypted": report.encrypted,
            "verified": report.verified,
            "without_key": report.without_key,
            **{f"{severity}s": _count(report, severity) for severity in SEVERITIES},
        },
    }
    return json.dumps(document, indent=2) + "\n"


def summary(report: Report) -> str:
    """Say how much was looked at and what came of it, in one line."""
    counts = [
        f"{number:,} {severity}{'' if number == 1 else 's'}"
        for severity in SEVERITIES
        if (number := _count(report, severity))
    ]
    words = [f"{report.files:,} file{'' if report.files == 1 else 's'} looked at", f"{report.encrypted:,} encrypted"]
    if report.verified:
        words.append(f"{report.verified:,} verified with a key")
    if report.without_key:
        words.append(f"{report.without_key:,} not verified, for no key here is meant for them")
    if not (report.files or counts):
        return "nothing to check: 0 files looked at"
    return f"{', '.join(counts) or 'nothing is wrong'}: {', '.join(words)}"


def command(finding: Finding, top: str) -> str:
    """Write the command that mends it, to be run from the current folder."""
    path = from_here(finding.path, top)
    return visible(finding.fix.replace("{path}", shlex.quote(path if not path.startswith("-") else f"./{path}")))


def from_here(path: str, top: str) -> str:
    """Write the path of a file as a person in the current folder would."""
    return os.path.relpath(os.path.join(top, path))


def text(value: str) -> str | Mapping[str, str]:
    """Return a text for JSON; one that is no Unicode as base64."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"b64": b2a_base64(value.encode("utf-8", "surrogateescape"), newline=False).decode()}
    return value


def _count(report: Report, severity: str) -> int:
    return sum(finding.severity == severity for finding in report.findings)
