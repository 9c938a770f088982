"""`pbxfleet drift`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Report drift; exit 2 when there is some, silence and exit 0 when there is none."""
    from pbxfleet.app.drift import drift
    from pbxfleet.app.live import open_live
    from pbxfleet.app.unfinished import notice
    from pbxfleet.report.drift import drift_data, drift_text

    live = open_live(args.chdir, args.host, args.root)
    notice(live.state, output.complain)
    found = drift(live, only_new=args.only_new)
    output.text(drift_text(args.host, found.items, found.pending, output.paint()))
    output.data(drift_data(args.host, found.items, found.pending, found.debts))
    return Exit.DIFFERENCES if found.items else Exit.DONE
