"""The row of `pbxfleet release`."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command

ACTIONS = ("list", "fetch", "add", "verify", "manifest", "prune")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do, see above")
    parser.add_argument(
        "words", metavar="WORD", nargs="*", help="names of releases, or files, or addresses"
    )
    parser.add_argument(
        "--artefacts", metavar="DIR", help="the artefact store (default: artefacts in fleet.toml)"
    )
    parser.add_argument(
        "--write", action="store_true", help="with add: write the new release into fleet.toml"
    )
    parser.add_argument(
        "--os", metavar="PLATFORM", help="with manifest: a platform as the vendor's list names it"
    )
    parser.add_argument(
        "--largest",
        metavar="MIB",
        type=int,
        default=512,
        help="with fetch: the largest file that is taken, in mebibytes (default 512)",
    )
    parser.add_argument(
        "--check", action="store_true", help="with prune: remove nothing, exit 2 if it would"
    )


RELEASE = Command(
    "release",
    "the files of releases: list, fetch, add, verify, prune",
    """\
Release files lie in the artefact store under the digests of their contents,
and are never used with another digest than the pinned one.

  list              every declared release: are its files here, who uses it
  fetch [NAME...]   download what is pinned with an https source and not here
  add NAME PBXCTRL PBXCTRL.DAT
                    take two files (or https addresses) into the store, and
                    print the lines that pin them, for review
  verify            read everything in the store and compare the digests
  manifest FILE|URL the vendor's list of a version (version-V.xml); with --os
                    the sources of the two files
  prune             remove files of the store that no release pins""",
    """\
examples:
  pbxfleet release list
  pbxfleet release fetch 70.6
  pbxfleet release add 70.6 ./pbxctrl ./pbxctrl.dat --write
  pbxfleet release manifest version-70.6.xml --os Debian64
  pbxfleet release prune --check

exit codes: 0 done, 1 refused, or a file could not be had,
2 something is missing or damaged (verify), or would be removed (prune --check)""",
    _arguments,
    "pbxfleet.cli.run_release",
)
