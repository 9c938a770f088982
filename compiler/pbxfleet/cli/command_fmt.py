"""The row of `fmt` in the table of commands."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command


def _fmt(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="only these files (default: all of the fleet)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 2 if a file would change"
    )


FMT = Command(
    "fmt",
    "canonical form of the files in desired/, comments kept",
    """\
Bring TOML and YAML files into one form: blanks around = and after commas,
two blanks for each level, at most one blank line, LF at the end of lines.
Only white space changes: every value, its quotes, the order of keys and every
comment stay, which is proven by reading both forms again before a file is
replaced. A broken file is reported and left alone; the ledger is compile's.""",
    """\
examples:
  pbxfleet fmt
  pbxfleet fmt --check                       in CI
  pbxfleet fmt desired/instances/acme.yaml   from an editor or a commit hook

exit codes: 0 done, 1 a file is broken (the others are done), 2 with --check:
a file would change""",
    _fmt,
    "pbxfleet.cli.run_fmt",
)
