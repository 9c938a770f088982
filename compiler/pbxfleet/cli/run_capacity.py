"""`pbxfleet capacity`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print what hosts have left; the problems of the fleet if it has errors."""
    from pbxfleet.app.capacity import fleet_capacity
    from pbxfleet.report.capacity import capacity_data, capacity_text

    fleet, hosts = fleet_capacity(args.chdir, args.hosts)
    if fleet.resolved is None:
        show(fleet, output, advice=False)
        output.data({**diagnostics_data(fleet, failed=True), "outcome": Exit.REFUSED.word})
        return Exit.REFUSED
    output.text(capacity_text(hosts))
    output.data({"format": 1, "outcome": Exit.DONE.word, "hosts": capacity_data(hosts)})
    return Exit.DONE
