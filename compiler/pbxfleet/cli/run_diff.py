"""`pbxfleet diff`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.model.revisions import RevisionDiff


def run(args: Namespace, output: Output) -> int:
    """Print what a change does to every host; exit 1 where one side has errors, 8 if denied."""
    from pbxfleet.app.diff import diff_sides
    from pbxfleet.app.sides import open_sides
    from pbxfleet.host.disk import write_file

    output.json = output.json or args.format == "json"
    if args.limit is not None and (output.json or args.format != "markdown"):
        raise Refused(
            "--limit is about comments, which are Markdown",
            hint=f"diff {args.base} --format markdown --limit {args.limit}",
        )
    sides = open_sides(args.chdir, args.base, args.head, merge_base=args.merge_base)
    found = diff_sides(sides, checks=not args.no_checks)
    if args.out is not None:
        form = "json" if output.json else args.format
        write_file(args.out, _text(found, form, output, None, "").encode(), 0o644)
    if output.json:
        from pbxfleet.report.diff_json import diff_data

        output.data(diff_data(found))
    else:
        output.text(_text(found, args.format, output, args.limit or "github", args.out or ""))
    if found.is_broken:
        return Exit.REFUSED
    if found.is_denied:
        return Exit.DENIED
    if args.detailed_exitcode and not found.is_empty:
        return Exit.DIFFERENCES
    return Exit.DONE


def _text(found: RevisionDiff, form: str, output: Output, limit: str | None, artefact: str) -> str:
    """The diff in one of the forms; in Markdown cut to a limit, unless that is None."""
    if form == "json":
        import json

        from pbxfleet.report.diff_json import diff_data

        return json.dumps(diff_data(found), indent=1) + "\n"
    if form == "markdown":
        from pbxfleet.report.diff_limits import LIMITS
        from pbxfleet.report.diff_markdown import diff_markdown, full_markdown

        return (
            full_markdown(found) if limit is None else diff_markdown(found, LIMITS[limit], artefact)
        )
    if form == "html":
        from pbxfleet.report.diff_html import diff_html

        return diff_html(found)
    from pbxfleet.report.diff_text import diff_text
    from pbxfleet.report.paint import PLAIN

    return diff_text(found, PLAIN if limit is None else output.paint())
