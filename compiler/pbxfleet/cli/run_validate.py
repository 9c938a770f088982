"""`pbxfleet validate`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.core.diagnostics import Severity
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.app.fleet import Fleet

FORGES = ("sarif", "github", "gitlab")


def run(args: Namespace, output: Output) -> int:
    """Print every problem of the fleet; exit 1 if there is an error."""
    from pbxfleet.app.compile import validate_fleet
    from pbxfleet.report.summary import counted

    output.json = output.json or args.format == "json"
    fleet, hosts, instances = validate_fleet(args.chdir)
    if args.format in FORGES:
        return _for_forge(fleet, args.format, output)
    failed = show(fleet, output, advice=not output.quiet)
    output.data(diagnostics_data(fleet, failed=failed))
    if not failed:
        output.say(f"{counted(hosts, 'host')}, {counted(instances, 'instance')}: valid")
    return Exit.REFUSED if failed else Exit.DONE


def _for_forge(fleet: Fleet, form: str, output: Output) -> int:
    """The diagnostics as a forge wants them, on stdout and nothing else there."""
    from pbxfleet import __version__
    from pbxfleet.report import forge

    if form == "sarif":
        from pbxfleet.app.pages import titles

        accepted = [
            forge.Accepted(one.diagnostic, one.by.reason, one.by.until.value, one.by.code.origin)
            for one in fleet.suppressed
        ]
        text = forge.sarif(fleet.diagnostics, dict(titles()), __version__, accepted)
    else:
        text = (forge.github if form == "github" else forge.gitlab)(fleet.diagnostics)
    output.write(text)
    failed = any(d.severity is Severity.ERROR for d in fleet.diagnostics)
    return Exit.REFUSED if failed else Exit.DONE


def show(fleet: Fleet, output: Output, *, advice: bool) -> bool:
    """Print diagnostics on stderr; whether there is an error among them.

    Without `advice` only errors and warnings are printed, and where the rest can be read.
    """
    from pbxfleet.source.excerpt import render, summary

    found = [d for d in fleet.diagnostics if advice or d.severity is not Severity.ADVICE]
    if found and not output.json:
        colour = output.colour and output.stderr.isatty()
        output.complain(render(found, fleet.texts(), colour=colour))
        output.complain(summary(found))
    if fleet.suppressed and advice and not output.json:
        output.complain(_accepted(fleet))
    if len(found) < len(fleet.diagnostics) and not output.json:
        rest = [d for d in fleet.diagnostics if d not in found]
        output.say(f"{summary(rest)}: pbxfleet validate shows it")
    return any(d.severity is Severity.ERROR for d in found)


def _accepted(fleet: Fleet) -> str:
    """One line for each suppression that accepts something: what, how often, until when and why."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for diagnostic, by in fleet.suppressed:
        where = "" if by.where is None else f" for {by.where.value}"
        key = (diagnostic.code, where, by.until.value, by.reason)
        counts[key] = counts.get(key, 0) + 1
    lines = [
        f"accepted: {code}{where}{f', {count} times' if count > 1 else ''}, until {until}: {reason}"
        for (code, where, until, reason), count in sorted(counts.items())
    ]
    return "\n".join(lines)


def diagnostics_data(fleet: Fleet, *, failed: bool) -> dict[str, object]:
    """Diagnostics as the JSON document of validate and compile."""
    from pbxfleet.source.excerpt import diagnostics_json

    return {
        "format": 1,
        "outcome": (Exit.REFUSED if failed else Exit.DONE).word,
        "diagnostics": diagnostics_json(fleet.diagnostics),
        "suppressed": [
            {
                **diagnostics_json([diagnostic])[0],
                "suppression": {
                    "reason": by.reason,
                    "until": by.until.value,
                    "file": by.code.origin.file,
                    "line": by.code.origin.line,
                },
            }
            for diagnostic, by in fleet.suppressed
        ],
    }
