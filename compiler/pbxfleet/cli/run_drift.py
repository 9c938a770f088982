"""`pbxfleet drift`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.telling import Telling
from pbxfleet.core.errors import WrongUsage


def run(args: Namespace, output: Output) -> int:
    """Report drift; exit 2 when some is shown, silence and exit 0 when none is."""
    if args.adopt:
        from pbxfleet.cli.run_adopt_drift import run as adopt

        return adopt(args, output)
    if args.layer or args.patch or args.branch:
        raise WrongUsage("--layer, --patch and --branch need --adopt")
    with Telling(args, output, "drift", args.host) as telling:
        return _run(args, output, telling)


def _run(args: Namespace, output: Output, telling: Telling) -> int:
    from pbxfleet.app.drift import Wanted, drift
    from pbxfleet.app.live import open_live
    from pbxfleet.report.drift import drift_data, drift_text

    live = telling.of(open_live(args.chdir, args.host, args.root))
    # A program that reads every difference as JSON keeps its own account: it must not make the mail
    # of tonight say nothing.
    tells = args.only_new or not output.json
    found = drift(live, Wanted(args.only_new, args.after, tells, telling.is_wanted))
    for line in found.notices:
        output.complain(line)
    beside = (found.debts, found.ignored)
    output.text(drift_text(args.host, found.items, found.pending, output.paint(), *beside))
    data = drift_data(args.host, found.items, found.pending, *beside, found.held_back)
    exit_code = telling.drift(found, data)
    output.data({**data, "undelivered": list(telling.failures)} if telling.failures else data)
    return exit_code
