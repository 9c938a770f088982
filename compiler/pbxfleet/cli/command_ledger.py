"""The commands about what was handed out: move and capacity."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command


def _move(parser: ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+", help="OLD NEW, or who it is about")
    parser.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="have this address instead of the one that was handed out (again for each)",
    )
    parser.add_argument("--cpu", metavar="CORE", help="have this core instead")
    parser.add_argument("--rtp", metavar="FIRST-LAST", help="have these RTP ports instead")
    parser.add_argument("--ports", metavar="FIRST-LAST", help="have this block of ports instead")
    parser.add_argument("--number", metavar="NUMBER", help="have this number instead")
    parser.add_argument(
        "--release", action="store_true", help="give back what instances held that are gone"
    )
    parser.add_argument(
        "--reallocate",
        action="store_true",
        help="give back what an instance holds; the next compile hands out something",
    )
    parser.add_argument(
        "--only",
        choices=("addresses", "cores", "numbers", "ports", "rtp"),
        help="with --reallocate: only things of this kind",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check", action="store_true", help="write nothing; exit 2 if something would change"
    )
    group.add_argument("--auto-approve", action="store_true", help="do not ask")


MOVE = Command(
    "move",
    "change by hand what was handed out, and to whom",
    """\
Change desired/ledger.toml: the only ways in which what was handed out moves.
Shows every thing with who held it and who holds it now, and touches no line
of anybody else. What the fleet would refuse is refused. Asks before it writes.
Commit the result; compile and plan then show what follows from it.""",
    """\
ways:
  pbxfleet move OLD NEW                     an instance is renamed
  pbxfleet move NAME --address ADDRESS      it gets another value than it has
  pbxfleet move --release NAME...           it is gone, and nothing leads there
  pbxfleet move --reallocate NAME           let compile hand out something else

examples:
  pbxfleet move birch oak
  pbxfleet move birch --cpu 7 --check
  pbxfleet move --reallocate birch --only addresses

exit codes: 0 written or nothing to change, 1 refused or not approved,
2 something would change (with --check), 64 wrong usage""",
    _move,
    "pbxfleet.cli.run_move",
)


def _capacity(parser: ArgumentParser) -> None:
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts (default: all)")


CAPACITY = Command(
    "capacity",
    "what hosts have left, and what it costs",
    """\
Count what every host has of addresses, cores and blocks of ports: used, kept
back and why, kept for instances that are gone, free. Say how many more
instances there is room for and what limits them, and the share of an instance
and of a tenant in the host's price. From desired/ alone; looks at no host.""",
    """\
examples:
  pbxfleet capacity
  pbxfleet --json capacity fra1

exit codes: 0 printed, 1 the fleet has errors""",
    _capacity,
    "pbxfleet.cli.run_capacity",
)

LEDGER = (MOVE, CAPACITY)
