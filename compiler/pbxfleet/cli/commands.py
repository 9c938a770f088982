"""The commands: name, help, arguments and the module that runs each. Nothing heavy is imported here."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """A row of the table. `module` has `run(args, output) -> int`; it is imported when it is called."""

    name: str
    help: str
    description: str
    arguments: Callable[[ArgumentParser], None]
    module: str


def _none(_: ArgumentParser) -> None:
    """No arguments of its own."""


def _root(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--root",
        metavar="DIR",
        default="/",
        help="make another folder the host's / (default: the machine itself)",
    )


def _host(parser: ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="name of a host in desired/hosts/")
    _root(parser)


def _validate(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("human", "json"), default="human", help="form of the diagnostics"
    )


def _compile(parser: ArgumentParser) -> None:
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts (default: all)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 2 if rendered/ or the ledger is stale",
    )


def _plan(parser: ArgumentParser) -> None:
    _host(parser)
    parser.add_argument("--out", metavar="FILE", help="store the plan, for show and apply")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when there is something to do"
    )


def _show(parser: ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLANFILE", help="a file made by plan --out")


def _apply(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="HOST|PLANFILE", help="a host, or a plan that was reviewed")
    _root(parser)
    parser.add_argument(
        "--auto-approve", action="store_true", help="do not ask; for unattended runs"
    )
    parser.add_argument(
        "--lock-timeout",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait so long for another run to end (default 0)",
    )


def _drift(parser: ArgumentParser) -> None:
    _host(parser)
    parser.add_argument(
        "--only-new", action="store_true", help="report only what no earlier run has reported"
    )


def _explain(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        help="a diagnostic code such as BND101, or HOST/INSTANCE/SETTING such as fra1/acme/sys_name; "
        "nothing lists all codes",
    )


def _init(parser: ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="folder to make; must be empty or missing")
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="a fleet to try things with: six stand-in PBX instances on loopback addresses",
    )


def _learn(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="pbx.xml of an installed instance")
    parser.add_argument(
        "--address", action="append", default=[], help="address the instance was bound to"
    )


def _demo(parser: ArgumentParser) -> None:
    parser.add_argument("--keep", metavar="DIR", help="work in DIR and leave it there")


def _schema(parser: ArgumentParser) -> None:
    parser.add_argument("--write", metavar="DIR", help="write all schemas into a folder")


def _completion(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell to print a script for")


COMMANDS = (
    Command(
        "init",
        "make a new fleet repository",
        "Write a small fleet repository with one host and one instance, ready to be edited.",
        _init,
        "pbxfleet.cli.run_init",
    ),
    Command(
        "demo",
        "the whole loop on this machine, without root",
        "Compile, plan and apply a fleet on a sandbox host with stand-in PBX processes on loopback "
        "addresses; then break it and see it repaired.",
        _demo,
        "pbxfleet.cli.run_demo",
    ),
    Command(
        "validate",
        "check everything in desired/, all problems at once",
        "Read every file in desired/, resolve the whole fleet and check it. Writes nothing.",
        _validate,
        "pbxfleet.cli.run_validate",
    ),
    Command(
        "compile",
        "desired/ to rendered/, and the ledger",
        "Compile the fleet into rendered/<host>/ and remember allocations in desired/ledger.toml. "
        "The same input gives the same bytes on every machine.",
        _compile,
        "pbxfleet.cli.run_compile",
    ),
    Command(
        "learn",
        "propose [catalogue] entries from a pbx.xml",
        "Look at a pbx.xml of an installed instance and propose which elements hold which binds. "
        "Proposals are for a person to confirm; nothing is guessed on their strength.",
        _learn,
        "pbxfleet.cli.run_learn",
    ),
    Command(
        "plan",
        "what apply would do to a host, and what it costs",
        "Compare the compiled target of a host with the host itself. Changes nothing.",
        _plan,
        "pbxfleet.cli.run_plan",
    ),
    Command("show", "a stored plan", "Print a plan file again.", _show, "pbxfleet.cli.run_show"),
    Command(
        "apply",
        "do exactly what plan announced",
        "Bring a host to its target. Asks on a terminal; without one it needs --auto-approve or a "
        "plan file, and a plan file is refused once the host is no longer as it was planned for.",
        _apply,
        "pbxfleet.cli.run_apply",
    ),
    Command(
        "drift",
        "what somebody else changed since the last apply",
        "Compare the host with what was applied last. No output and exit 0 when nothing differs.",
        _drift,
        "pbxfleet.cli.run_drift",
    ),
    Command(
        "status",
        "declared and proven, side by side",
        "For every instance: is it running, on which sockets and core, and is that what is declared?",
        _host,
        "pbxfleet.cli.run_status",
    ),
    Command(
        "explain",
        "the page of a diagnostic code, or where a setting comes from",
        "Print the page of a code: what it means, a bad and a good example, what to do. Of a setting: "
        "its value, every layer that gives one, nearest first, and the commit that wrote it.",
        _explain,
        "pbxfleet.cli.run_explain",
    ),
    Command(
        "schema",
        "JSON Schema of the fleet format",
        "Print the JSON Schemas of the files in desired/, or write them into a folder.",
        _schema,
        "pbxfleet.cli.run_schema",
    ),
    Command(
        "completion",
        "shell completion",
        "Print a completion script for bash or zsh.",
        _completion,
        "pbxfleet.cli.run_completion",
    ),
)
