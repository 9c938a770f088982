"""`pbxfleet completion`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print a completion script made from the parser itself."""
    from pbxfleet.cli.main import build_parser

    try:
        import shtab
    except ImportError as error:
        raise Refused("completion needs the package shtab", hint="pip install shtab") from error
    script = shtab.complete(build_parser(), shell=args.shell) + "\n"
    output.text(script)
    output.data({"format": 1, "outcome": "done", "shell": args.shell, "script": script})
    return Exit.DONE
