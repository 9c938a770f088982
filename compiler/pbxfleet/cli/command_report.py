"""The row of `pbxfleet report` in the table of commands."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command


def _report(parser: ArgumentParser) -> None:
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts (default: all)")
    parser.add_argument(
        "--plan",
        metavar="PLANFILE",
        action="append",
        default=[],
        help="show what is pending by this file of plan --out (again for each host)",
    )
    parser.add_argument(
        "--drift",
        metavar="FILE",
        action="append",
        default=[],
        help="show the drift that pbxfleet --json drift printed (again for each host)",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="look at the one host that is named, whose / is DIR (/: this machine)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write the page into FILE (default: print it)"
    )


REPORT = Command(
    "report",
    "the fleet as one HTML page",
    """\
Write one HTML page that needs nothing else: no network, no scripts, no other
file. It says what needs attention first, and shows for every host the map of
its addresses, cores and RTP ports, used and free, in scale; every instance
with its tenants; failover pairs, what the loss of each host means, capacity
and prices. The same input gives the same bytes.

Pending changes, drift with its age, and restarts that are owed are on the page
where plan files, drift documents or a look at the host tell of them; of other
hosts the page says that nobody looked. Changes nothing.""",
    """\
examples:
  pbxfleet report --out fleet.html
  pbxfleet report fra1 ber1 --out two.html
  pbxfleet report --plan fra1.plan --drift fra1.json --drift ber1.json >fleet.html
  pbxfleet report fra1 --root / --out fra1.html       on the host, as root
  pbxfleet --json report                    what needs attention, as data

exit codes: 0 written, 1 refused, or the fleet has errors""",
    _report,
    "pbxfleet.cli.run_report",
)
