"""`pbxfleet explain`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print the page of a diagnostic code, where a setting comes from, or the list of all codes."""
    from pbxfleet.app.pages import page, titles

    if args.what is None:
        for code, title in titles():
            output.text(f"{code}  {title}\n")
        output.data({"format": 1, "outcome": "done", "codes": dict(titles())})
        return Exit.DONE
    if "/" in args.what:
        from pbxfleet.app.asked_line import is_rendered_place

        if is_rendered_place(args.what):
            return _line(args, output)
        from pbxfleet.app.explain import explain_setting, explained_data, explained_text

        found = explain_setting(args.chdir, args.what)
        output.text(explained_text(found))
        output.data({"format": 1, "outcome": "done", **explained_data(found)})
        return Exit.DONE
    text = page(args.what)
    output.text(text)
    output.data({"format": 1, "outcome": "done", "code": args.what.upper(), "page": text})
    return Exit.DONE


def _line(args: Namespace, output: Output) -> int:
    from pbxfleet.app.explain_line import explain_line, line_data, line_text

    line = explain_line(args.chdir, args.what, args.root)
    output.text(line_text(line))
    output.data({"format": 1, "outcome": "done", **line_data(line)})
    return Exit.DONE
