"""`pbxfleet learn`."""

from __future__ import annotations

import sys
from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print proposals for [catalogue]; a person decides."""
    from pbxfleet.app.learn import learn_file, learn_names

    if args.names:
        found = learn_names(args.file, sys.stdin.buffer.read() if args.file == "-" else None)
        output.text(found.text)
        output.data({"format": 1, "outcome": "done", "names": list(found.names)})
        return Exit.DONE
    learned = learn_file(args.file, args.address)
    if learned.warnings:
        output.complain(learned.warnings)
    output.text(learned.text)
    output.data({"format": 1, "outcome": "done", "proposals": learned.proposals})
    return Exit.DONE
