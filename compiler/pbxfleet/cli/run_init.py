"""`pbxfleet init`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Write a new fleet repository."""
    from pbxfleet.app.init import init

    for name in init(args.directory):
        output.text(f"wrote {f'{args.directory}/{name}'}\n")
    output.say("next: read README.md there")
    output.data({"format": 1, "outcome": "done"})
    return Exit.DONE
