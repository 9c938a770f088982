"""Diagnostics in the forms that forges show beside the lines of a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order
from pbxfleet.core.digest import digest_of
from pbxfleet.core.span import Span

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
GITHUB_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}
SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note"}
GITLAB_WORDS = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.ADVICE: "info"}


# Of each kind GitHub shows so many annotations of a step beside the lines, and drops the others.
GITHUB_SHOWS = 10

# Where a finding is shown that is about no line: forges take none without a place.
NO_PLACE = Span("desired/fleet.toml", 1, 1, 1, 1)


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands, errors first; of a kind with more than GitHub shows the last tells how many.

    Those that are not shown beside their lines follow as plain lines, for the log of the step.
    Format: GitHub Actions, "Workflow commands", `::error file=..,line=..::message`.
    """
    found = in_order(diagnostics)
    commands: list[str] = []
    rest: list[Diagnostic] = []
    for severity, word in GITHUB_WORDS.items():
        kind = [d for d in found if d.severity is severity]
        shown = kind if len(kind) <= GITHUB_SHOWS else kind[: GITHUB_SHOWS - 1]
        commands += [f"::{word} {_github_place(d)}::{_github_text(d)}" for d in shown]
        if left := kind[len(shown) :]:
            more = f"{len(left)} more of this kind are not shown here: see the log of this step"
            commands.append(f"::{word} title={len(left)} more::{more}")
            rest += left
    commands += [_escaped(f"{d.span or NO_PLACE}: {d.code}: {d.message}") for d in rest]
    return "".join(f"{line}\n" for line in commands)


def _github_place(diagnostic: Diagnostic) -> str:
    fields = {"title": diagnostic.code}
    span = diagnostic.span
    if span is not None:
        fields = {"file": span.file, "line": str(span.line), "endLine": str(span.end_line)} | fields
        if span.line == span.end_line:  # GitHub takes columns only within one line
            fields |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return ",".join(f"{k}={_escaped(v, property_value=True)}" for k, v in fields.items())


def _github_text(diagnostic: Diagnostic) -> str:
    return _escaped("\n".join(_with_places(diagnostic)))


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
            "description": "; ".join(_with_places(d)),
            "check_name": d.code,
            "fingerprint": identity,
            "severity": GITLAB_WORDS[d.severity],
            "location": {
                "path": (d.span or NO_PLACE).file,
                "lines": {"begin": (d.span or NO_PLACE).line, "end": (d.span or NO_PLACE).end_line},
            },
        }
        for d, identity in _identified(in_order(diagnostics))
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
            *(_result(d, codes.index(d.code), one) for d, one in _identified(found)),
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


def _result(diagnostic: Diagnostic, rule: int, identity: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": SARIF_LEVELS[diagnostic.severity],
        "message": {"text": "\n".join(_sentences(diagnostic))},
        "partialFingerprints": {"pbxfleet/v1": identity},
        "locations": [{"physicalLocation": _place(diagnostic.span or NO_PLACE)}],
    }
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
    return {
        **_result(one.diagnostic, rule, fingerprint(one.diagnostic)),
        "suppressions": [suppression],
    }


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


def _with_places(diagnostic: Diagnostic) -> list[str]:
    """The sentences with the related places as text: of these, the form knows one only."""
    message, *hint = _sentences(diagnostic)
    return [message, *(f"{span}: note: {text}" for span, text in diagnostic.related), *hint]


def _sentences(diagnostic: Diagnostic) -> list[str]:
    return [diagnostic.message] + ([f"hint: {diagnostic.hint}"] if diagnostic.hint else [])


def _identified(found: Iterable[Diagnostic]) -> Iterator[tuple[Diagnostic, str]]:
    """Each with its fingerprint; of findings with the same words in one file each has its own.

    GitLab shows only the first of several with one fingerprint.
    """
    seen: dict[str, int] = {}
    for one in found:
        identity = fingerprint(one)
        seen[identity] = seen.get(identity, 0) + 1
        yield one, identity if seen[identity] == 1 else fingerprint(one, seen[identity])


def fingerprint(diagnostic: Diagnostic, which: int = 1) -> str:
    """Identity of a finding that survives moved lines: code, file, message, and which of several."""
    file = diagnostic.span.file if diagnostic.span else ""
    parts = [diagnostic.code, file, diagnostic.message, *([str(which)] if which > 1 else [])]
    return digest_of("\0".join(parts).encode())[7:47]
