"""`pbxfleet init`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Write a new fleet repository."""
    from pbxfleet.app.init import init, init_sandbox

    if args.sandbox:
        written = init_sandbox(args.directory)
        output.text(f"wrote {args.directory}: a fleet for trying things\n")
        output.say("next, in that folder: mkdir host; pbxfleet compile")
        output.say("then, with --root host always: pbxfleet plan sandbox --root host")
    else:
        written = init(args.directory)
        for name in written:
            output.text(f"wrote {args.directory}/{name}\n")
        output.say("next: read README.md there")
    output.data(
        {
            "format": 1,
            "outcome": "done",
            "directory": args.directory,
            "written": list(written),
        }
    )
    return Exit.DONE
