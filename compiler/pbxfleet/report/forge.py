"""Diagnostics in the forms that forges show beside the lines of a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order
from pbxfleet.core.digest import digest_of
from pbxfleet.core.span import Span

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
GITHUB_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}
SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note"}
GITLAB_WORDS = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.ADVICE: "info"}


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands, one a diagnostic, errors first: GitHub shows only ten of a kind and step.

    Format: GitHub Actions, "Workflow commands", `::error file=..,line=..::message`.
    """
    found = sorted(in_order(diagnostics), key=lambda d: list(Severity).index(d.severity))
    return "".join(
        f"::{GITHUB_WORDS[d.severity]} {_github_place(d)}::{_github_text(d)}\n" for d in found
    )


def _github_place(diagnostic: Diagnostic) -> str:
    fields = {"title": diagnostic.code}
    span = diagnostic.span
    if span is not None:
        fields = {"file": span.file, "line": str(span.line), "endLine": str(span.end_line)} | fields
        if span.line == span.end_line:  # GitHub takes columns only within one line
            fields |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return ",".join(f"{k}={_escaped(v, property_value=True)}" for k, v in fields.items())


def _github_text(diagnostic: Diagnostic) -> str:
    return _escaped("\n".join(_sentences(diagnostic)))


def _escaped(text: str, *, property_value: bool = False) -> str:
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(char, code)
    if property_value:
        text = text.replace(":", "%3A").replace(",", "%2C")
    return text


def gitlab(diagnostics: Iterable[Diagnostic]) -> str:
    """A Code Quality report: a JSON list with description, check name, fingerprint, severity, place."""
    rows = [
        {
            "description": "; ".join(_sentences(d)),
            "check_name": d.code,
            "fingerprint": fingerprint(d),
            "severity": GITLAB_WORDS[d.severity],
            "location": {
                "path": d.span.file if d.span else "desired",
                "lines": {"begin": d.span.line if d.span else 1},
            },
        }
        for d in in_order(diagnostics)
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


class Accepted(NamedTuple):
    """A diagnostic that the fleet accepts: why, until which day, and where it says so."""

    diagnostic: Diagnostic
    reason: str
    until: str
    place: Span


def sarif(
    diagnostics: Iterable[Diagnostic],
    titles: Mapping[str, str],
    version: str,
    accepted: Sequence[Accepted] = (),
) -> str:
    """A SARIF 2.1.0 log with one run; `titles` are by code. Columns count code points.

    What the fleet accepts is a result with a suppression (SARIF 2.1.0, section 3.35).
    """
    found = in_order(diagnostics)
    codes = sorted({d.code for d in (*found, *(one.diagnostic for one in accepted))})
    run = {
        "tool": {
            "driver": {
                "name": "pbxfleet",
                "version": version,
                "rules": [_rule(code, titles.get(code, code)) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(d, codes.index(d.code)) for d in found),
            *(_suppressed(one, codes.index(one.diagnostic.code)) for one in accepted),
        ],
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _rule(code: str, title: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": title},
        "help": {"text": f"pbxfleet explain {code}"},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": SARIF_LEVELS[diagnostic.severity],
        "message": {"text": "\n".join(_sentences(diagnostic))},
        "partialFingerprints": {"pbxfleet/v1": fingerprint(diagnostic)},
    }
    if diagnostic.span is not None:
        result["locations"] = [{"physicalLocation": _place(diagnostic.span)}]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": text}, "physicalLocation": _place(span)}
            for number, (span, text) in enumerate(diagnostic.related, 1)
        ]
    return result


def _suppressed(one: Accepted, rule: int) -> dict[str, Any]:
    suppression = {
        "kind": "external",
        "status": "accepted",
        "justification": f"{one.reason} (until {one.until})",
        "location": {"physicalLocation": _place(one.place)},
    }
    return {**_result(one.diagnostic, rule), "suppressions": [suppression]}


def _place(span: Span) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": _uri(span.file)},
        "region": {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        },
    }


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file)


def _sentences(diagnostic: Diagnostic) -> list[str]:
    return [diagnostic.message] + ([f"hint: {diagnostic.hint}"] if diagnostic.hint else [])


def fingerprint(diagnostic: Diagnostic) -> str:
    """Identity of a finding that survives moved lines: code, file and message."""
    file = diagnostic.span.file if diagnostic.span else ""
    return digest_of("\0".join((diagnostic.code, file, diagnostic.message)).encode())[7:47]
