"""`pbxfleet drift`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.telling import Telling
from pbxfleet.core.errors import WrongUsage


def run(args: Namespace, output: Output) -> int:
    """Report drift; exit 2 when there is some, silence and exit 0 when there is none."""
    if args.adopt:
        from pbxfleet.cli.run_adopt_drift import run as adopt

        return adopt(args, output)
    if args.layer or args.patch or args.branch:
        raise WrongUsage("--layer, --patch and --branch need --adopt")
    with Telling(args, output, "drift", args.host) as telling:
        return _run(args, output, telling)


def _run(args: Namespace, output: Output, telling: Telling) -> int:
    from pbxfleet.app.drift import drift
    from pbxfleet.app.live import open_live
    from pbxfleet.app.open_run import notice
    from pbxfleet.report.drift import drift_data, drift_text

    live = telling.of(open_live(args.chdir, args.host, args.root))
    notice(live.state, output.complain)
    found = drift(live, only_new=args.only_new)
    output.text(drift_text(args.host, found.items, found.pending, output.paint()))
    data = drift_data(args.host, found.items, found.pending, found.debts)
    exit_code = telling.drift(found, data)
    output.data({**data, "undelivered": list(telling.failures)} if telling.failures else data)
    return exit_code
