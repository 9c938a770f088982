"""The row of `pbxfleet rehearse` in the table of commands."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command


def _rehearse(parser: ArgumentParser) -> None:
    parser.add_argument(
        "hosts", metavar="HOST", nargs="*", help="only these hosts, instance by instance"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="write the recovery of each host as a patch, DIR/HOST.patch"
    )
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when an instance has no place"
    )


REHEARSE = Command(
    "rehearse",
    "if a host is lost, where do its instances start?",
    """\
Answer for every host, from the repository alone: which instances are taken
over by their peer, where the others would start, with which addresses, ports,
cores and releases, and what is missing for those that have no place. The
answer is exact: what is missing is the least there is. With --out the
recovery is a patch of desired/ that compiles. Looks at no host.""",
    """\
examples:
  pbxfleet rehearse
  pbxfleet rehearse fra1                       instance by instance
  pbxfleet rehearse fra1 --out recovery        then: git apply recovery/fra1.patch
  pbxfleet rehearse --detailed-exitcode        in CI

exit codes: 0 rehearsed, 1 the fleet has errors, 2 an instance has no place
(with --detailed-exitcode)""",
    _rehearse,
    "pbxfleet.cli.run_rehearse",
)
