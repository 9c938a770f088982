"""The row of `pbxfleet report` in the table of commands."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command


def _report(parser: ArgumentParser) -> None:
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts (default: all)")
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
and prices. What was not looked at is said to be so. The same input gives the
same bytes, so that the page can be kept in git. Looks at no host.""",
    """\
examples:
  pbxfleet report --out fleet.html
  pbxfleet report fra1 ber1 --out two.html
  pbxfleet --json report                    what needs attention, as data

exit codes: 0 written, 1 the fleet has errors""",
    _report,
    "pbxfleet.cli.run_report",
)
