"""`pbxfleet addresses`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print the addresses that others see; the problems of the fleet if it has errors."""
    from pbxfleet.app.addresses import fleet_addresses
    from pbxfleet.report.addresses import addresses_data, addresses_text

    fleet, hosts = fleet_addresses(args.chdir, args.hosts)
    if fleet.resolved is None:
        show(fleet, output, advice=False)
        output.data({**diagnostics_data(fleet, failed=True), "outcome": Exit.REFUSED.word})
        return Exit.REFUSED
    output.text(addresses_text(hosts))
    output.data({"format": 1, "outcome": Exit.DONE.word, "hosts": addresses_data(hosts)})
    return Exit.DONE
