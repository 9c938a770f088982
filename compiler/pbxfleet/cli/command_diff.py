"""The row of `diff` in the table of commands."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command


def _diff(parser: ArgumentParser) -> None:
    parser.add_argument(
        "base",
        metavar="BASE",
        help="revision to compare with; A..B and A...B name both, as git diff takes them",
    )
    parser.add_argument(
        "head", metavar="HEAD", nargs="?", help="the other revision (default: the working tree)"
    )
    parser.add_argument(
        "--merge-base",
        action="store_true",
        help="begin where HEAD left BASE, as a pull request does; A...B says the same",
    )
    parser.add_argument(
        "--format",
        choices=("human", "json", "markdown", "html"),
        default="human",
        help="form on stdout: text, JSON (as --json), a comment in Markdown, a page that needs no other file",
    )
    parser.add_argument(
        "--limit",
        choices=("github", "gitlab", "bitbucket", "step-summary"),
        help="with --format markdown: what the text has to fit into (default: github)",
    )
    parser.add_argument(
        "--no-checks",
        action="store_true",
        help="do not ask which checks newly fail, which takes most of the time; validate tells all; look for "
        "sources of lines in fewer files",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write the whole text, uncut, into FILE as well"
    )
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 if anything is different"
    )


DIFF = Command(
    "diff",
    "what a change of the repository does to every host",
    """\
Compare two revisions of the fleet, and say what applying the second would do
to hosts that have the first: for each host, instance, file and setting, what
restarts and what changes live, and which checks newly fail or no longer do.
What many instances have in common is said once, with their names. No host is
asked, and nothing is checked out or written.

Both sides are compared as they are: what BASE got since HEAD left it shows
as taken back. A...B, or --merge-base, shows the changes of a branch alone,
as a pull request does. Without HEAD the second side is the working tree,
committed or not. The targets are those in rendered/; where that is stale or
missing in a revision, the revision is compiled in memory, and this is said.

With --format markdown the text fits into a comment of the forge: the summary
first, then what changes, cut between blocks with the number of those that are
left out. The first line is a marker by which a job finds the comment that it
wrote last time, to update it.""",
    """\
examples:
  pbxfleet diff main                what my edits do
  pbxfleet diff main...HEAD         what my branch does, since it left main
  pbxfleet diff v1.4 v1.5 --json    two revisions, for programs
  pbxfleet diff origin/main...HEAD --format markdown --out diff.md
                                    a comment that fits; all of it in diff.md

exit codes: 0 compared, 1 a revision has errors or is not there,
2 something is different (with --detailed-exitcode), 8 the policy of the second
side denies it""",
    _diff,
    "pbxfleet.cli.run_diff",
)
