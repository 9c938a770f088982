"""`pbxfleet history`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print the generations of a host."""
    from pbxfleet.app.open_run import notice
    from pbxfleet.app.rollback import history
    from pbxfleet.report.history import Kept, history_data, history_text

    found = history(args.host, args.root)
    notice(found.state, output.complain)
    kept = Kept(found.keep, found.size_bytes)
    output.text(history_text(args.host, found.generations, found.current, kept))
    output.data(
        {
            **history_data(args.host, found.generations, found.current, kept),
            "outcome": Exit.DONE.word,
        }
    )
    return Exit.DONE
