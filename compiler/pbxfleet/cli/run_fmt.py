"""`pbxfleet fmt`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Format files; exit 2 with --check if something would change, 1 if a file is broken."""
    from pbxfleet.app.fmt import format_files
    from pbxfleet.report.summary import counted
    from pbxfleet.source.excerpt import diagnostics_json, render, summary

    done = format_files(args.chdir, args.files, check=args.check)
    stale = bool(done.changed) and args.check
    exit_code = Exit.REFUSED if done.diagnostics else Exit.DIFFERENCES if stale else Exit.DONE
    if done.diagnostics and not output.json:
        colour = output.colour and output.stderr.isatty()
        output.complain(render(done.diagnostics, done.texts, colour=colour))
        output.complain(summary(done.diagnostics))
    output.data(
        {
            "format": 1,
            "outcome": exit_code.word,
            "changed": list(done.changed),
            "diagnostics": diagnostics_json(done.diagnostics),
        }
    )
    verb = "would format" if args.check else "formatted"
    for name in done.changed:
        output.text(f"{verb} {name}\n")
    left = len({d.span.file for d in done.diagnostics if d.span is not None})
    words = f"{counted(done.checked, 'file')}: {_sum(len(done.changed), check=args.check)}"
    output.say(words + (f", {left} left alone" if left else ""))
    return exit_code


def _sum(changed: int, *, check: bool) -> str:
    if not changed:
        return "nothing to format"
    return f"{changed} to be formatted" if check else f"{changed} formatted"
