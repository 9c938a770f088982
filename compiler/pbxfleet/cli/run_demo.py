"""`pbxfleet demo`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Play the demo; everything it makes is removed at the end unless --keep names a folder."""
    from pbxfleet.app.demo import demo
    from pbxfleet.host.disk import absolute, scratch_folder

    folder = absolute(args.keep) if args.keep else scratch_folder("pbxfleet-demo-")
    demo(
        folder,
        lambda line: output.text(line + "\n"),
        keep=args.keep is not None,
        colour=output.colour,
    )
    kept = folder if args.keep else None
    output.data({"format": 1, "outcome": "done", "kept": kept})
    return Exit.DONE
