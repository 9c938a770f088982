"""`pbxfleet addresses`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.of_hosts import print_hosts
from pbxfleet.cli.output import Output


def run(args: Namespace, output: Output) -> int:
    """Print the addresses that others see; the problems of the fleet if it has errors."""
    from pbxfleet.app.addresses import fleet_addresses
    from pbxfleet.report.addresses import addresses_data, addresses_text

    computed = fleet_addresses(args.chdir, args.hosts)
    return print_hosts(output, computed, addresses_text, addresses_data)
