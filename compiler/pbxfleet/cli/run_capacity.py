"""`pbxfleet capacity`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.of_hosts import print_hosts
from pbxfleet.cli.output import Output


def run(args: Namespace, output: Output) -> int:
    """Print what hosts have left; the problems of the fleet if it has errors."""
    from pbxfleet.app.capacity import fleet_capacity
    from pbxfleet.report.capacity import capacity_data, capacity_text

    computed = fleet_capacity(args.chdir, args.hosts)
    return print_hosts(output, computed, capacity_text, capacity_data)
