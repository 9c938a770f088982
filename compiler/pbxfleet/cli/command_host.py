"""The rows of the commands that look at, or change, one live host."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser

from pbxfleet.cli.command import Command
from pbxfleet.cli.scope import reason, scope, seconds, sightings, this_host
from pbxfleet.cli.telling import WORDS, sink_options


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


def _artefacts(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--artefacts",
        metavar="DIR",
        help="look for release files in this artefact store first",
    )


def _plan(parser: ArgumentParser) -> None:
    _host(parser)
    scope(parser)
    _artefacts(parser)
    parser.add_argument("--out", metavar="FILE", help="store the plan, for show and apply")
    parser.add_argument(
        "--detailed-exitcode",
        action="store_true",
        help="exit 2 when there is something to do, 8 when policy denies it",
    )


def _show(parser: ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLANFILE", help="a file made by plan --out")


def _lock(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--lock-timeout",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait so long for another run to end (default 0)",
    )


def _apply(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="HOST|PLANFILE", help="a host, or a plan that was reviewed")
    _root(parser)
    scope(parser)
    _artefacts(parser)
    parser.add_argument(
        "--auto-approve", action="store_true", help="do not ask; for unattended runs"
    )
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument(
        "--resume", action="store_true", help="complete a run that was interrupted, nothing else"
    )
    unfinished.add_argument(
        "--undo", action="store_true", help="take a run that was interrupted back, step by step"
    )
    _confirm_in(parser)
    parser.add_argument(
        "--drain",
        type=seconds,
        metavar="SECONDS",
        help="before an instance is stopped, wait so long at most until it has no calls",
    )
    parser.add_argument(
        "--on-deadline",
        choices=("abandon", "force"),
        help="what then: leave its change for the next run, or cut the calls (default: as "
        "policy.on_deadline says)",
    )
    parser.add_argument(
        "--outside-window",
        type=reason,
        metavar="REASON",
        help="stop instances outside of their maintenance windows too; the reason is journalled",
    )
    _lock(parser)
    sink_options(parser)


def _drift(parser: ArgumentParser) -> None:
    _host(parser)
    parser.add_argument(
        "--only-new", action="store_true", help="report only what no earlier run has reported"
    )
    parser.add_argument(
        "--after",
        type=sightings,
        default=1,
        metavar="N",
        help="report only what N runs in a row have seen, this one included",
    )
    sink_options(parser)
    adopting = parser.add_argument_group("adopting", "what the host has becomes the declaration")
    adopting.add_argument(
        "--adopt",
        action="store_true",
        help="print the smallest edits of desired/ that declare what drifted, as a patch",
    )
    adopting.add_argument(
        "--layer",
        choices=("instance", "host", "fleet"),
        help="where values are written (default: where no other instance gets another value)",
    )
    into = adopting.add_mutually_exclusive_group()
    into.add_argument("--patch", metavar="FILE", help="write the patch there")
    into.add_argument(
        "--branch",
        metavar="NAME",
        help="make a new branch with the edits; the checkout stays as it is",
    )


def _confirm(parser: ArgumentParser) -> None:
    _host(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--cancel", action="store_true", help="take the change back now")
    choice.add_argument(
        "--extend", type=seconds, metavar="SECONDS", help="wait so long from now on"
    )
    choice.add_argument(
        "--same-connection",
        action="store_true",
        help="confirm over the connection that applied the change, though it proves nothing",
    )
    choice.add_argument("--undo-after", metavar="TOKEN", help=SUPPRESS)
    _lock(parser)
    sink_options(parser)


def _confirm_in(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--confirm",
        type=seconds,
        metavar="SECONDS",
        help="take everything back unless pbxfleet confirm comes within so many seconds",
    )


def _rollback(parser: ArgumentParser) -> None:
    _host(parser)
    parser.add_argument(
        "generation", metavar="GENERATION", nargs="?", type=int, help="default: the one before"
    )
    parser.add_argument(
        "--auto-approve", action="store_true", help="do not ask; for unattended runs"
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="only show what the rollback would do, and change nothing",
    )
    _confirm_in(parser)
    _lock(parser)
    this_host(parser)
    sink_options(parser)


HOST = (
    Command(
        "plan",
        "what apply would do to a host, and what it costs",
        """\
Compare the compiled target of a host with the host itself and print what
apply would do: every file and setting with its value before and after, whose
change it is, which instances are interrupted. Changes nothing. Needs
rendered/ to be up to date; run it on the host, as root.""",
        """\
signs:  + create   ~ change   - remove   ^ start   ! restart   > move   . keep
        [drift] changed on the host, not by us   [conflict] by both

examples:
  pbxfleet plan fra1
  pbxfleet plan fra1 --out fra1.plan          for review, then apply fra1.plan
  pbxfleet plan sandbox --root host           a folder plays the host's /

exit codes: 0 planned, 1 refused, 2 there is something to do,
8 denied by policy (both with --detailed-exitcode)""",
        _plan,
        "pbxfleet.cli.run_plan",
    ),
    Command(
        "show",
        "a stored plan",
        """\
Print a plan file again, however old it is. Looks at no host. Whether the
plan is still good is decided by apply.""",
        """\
examples:
  pbxfleet show fra1.plan
  pbxfleet --json show fra1.plan

exit codes: 0 printed, 1 not a plan file""",
        _show,
        "pbxfleet.cli.run_show",
    ),
    Command(
        "apply",
        "do exactly what plan announced",
        """\
Bring a host to its target, one instance after the other: stop, merge pbx.xml,
start, prove. Asks on a terminal (a removal takes the names of what is
removed). Without a terminal it needs --auto-approve or a plan file; a plan
file is refused once the host is no longer as it was planned for. A failed
instance is put back as it was, and nothing after it is started.

With --drain each instance is waited for in its turn until it has no calls. At
the deadline its change is abandoned (it stays as it was, for the next run) or
the calls are cut. Outside of its maintenance window no running instance is
stopped; what costs no restart is done.

A run that was cut off (a power cut, a kill) leaves a journal on the host, and
every command says so. apply completes it; --undo takes it back, step by step,
from the journal alone.""",
        """\
examples:
  pbxfleet apply fra1
  pbxfleet apply fra1.plan
  pbxfleet apply fra1 --auto-approve --lock-timeout 600
  pbxfleet apply fra1 --confirm 120           taken back unless confirmed
  pbxfleet apply fra1 --undo                  take an interrupted run back
  pbxfleet apply fra1 --drain 900             no call is cut; exit 7 if one is left

exit codes: 0 applied or nothing to do, 1 refused, 3 the plan file is stale,
4 another run holds the lock, 5 partly applied, 6 put back (failed, or --undo),
7 applied, but a restart is owed or waits (calls, window), 8 denied by [policy]""",
        _apply,
        "pbxfleet.cli.run_apply",
    ),
    Command(
        "confirm",
        "keep a change that apply --confirm has made",
        """\
apply --confirm SECONDS sets a timer on the host before it changes anything.
Unless this command comes in time, over a new connection, the host takes the
change back by itself, step by step, from its journal. One change at a time
waits. A machine that goes down meanwhile has not confirmed. Whoever the apply
was to tell hears of either end, also of one that came by itself.""",
        """\
examples:
  pbxfleet apply fra1 --confirm 120
  pbxfleet confirm fra1                  from a new login
  pbxfleet confirm fra1 --extend 600
  pbxfleet confirm fra1 --cancel

exit codes: 0 confirmed, or the deadline was moved, 1 nothing waits, 4 another
run holds the lock, 5 could not be taken back wholly, 6 taken back (--cancel)"""
        + WORDS,
        _confirm,
        "pbxfleet.cli.run_confirm",
    ),
    Command(
        "history",
        "what was applied to a host, when, and by whom",
        """\
Every apply that changed something makes a generation of the host: the target,
the journal with the inverse of each step, and what that needs, in
/var/lib/pbxfleet. The newest twenty are kept. The current one is marked *.""",
        """\
examples:
  pbxfleet history fra1
  pbxfleet --json history fra1

exit codes: 0 printed, 1 refused""",
        _host,
        "pbxfleet.cli.run_history",
    ),
    Command(
        "rollback",
        "back to an earlier generation of a host",
        """\
Make a plan whose target is that of an earlier generation, show it, ask, and
apply it: files, settings, releases, services. The repository is not needed.
A setting that the PBX or a person changed since is left, and named. A file
that was there before pbxfleet wrote it comes back as it was. The rollback is
a new generation itself, so it can be rolled back. The repository still says
otherwise: revert the commit, or the next apply will do it again.""",
        """\
examples:
  pbxfleet rollback fra1                 to the one before the current
  pbxfleet rollback fra1 7 --plan        look first
  pbxfleet rollback fra1 --confirm 120   undone again unless confirmed

exit codes: 6 rolled back (never 0), 1 refused or nothing to do, 4 another run
holds the lock, 5 partly, 8 denied by [policy]; with --plan 0"""
        + WORDS,
        _rollback,
        "pbxfleet.cli.run_rollback",
    ),
    Command(
        "drift",
        "what somebody else changed since the last apply",
        """\
Compare the host with what was applied last: files, declared settings, modes,
and the running processes with their sockets and cores. Made for cron: no
output and exit 0 when nothing differs. What is declared and not applied yet
is not drift; it is only counted.

Each difference has an age: since when it is there, how many runs in a row
have seen it, how often it came back. --only-new shows a difference once, and
again if it changes or comes back; --after N waits until it stays. The memory
of that is in the state folder of the host. Text, and whatever --only-new
shows, counts as reported; --json alone does not, as a program keeps its own
account.

With --adopt the drift becomes the declaration: the smallest edits of desired/
that say what the host has now are printed as a patch. Comments and formatting
stay, and without --layer no other instance gets another value. Secrets, and
what no key says, are listed and left out.""",
        """\
classes: missing  changed  extra  mode  runtime

examples:
  pbxfleet -C /srv/fleet drift fra1
  pbxfleet -C /srv/fleet drift fra1 --only-new              mail each finding once
  pbxfleet -C /srv/fleet drift fra1 --only-new --after 3    and only what lasts
  pbxfleet drift fra1 --adopt --quiet | git apply

exit codes: 0 no drift, or none that was asked for, 1 it could not be told (to
a sink either), 2 drift is shown; with --adopt 0 if nothing is left out"""
        + WORDS,
        _drift,
        "pbxfleet.cli.run_drift",
    ),
    Command(
        "status",
        "declared and proven, side by side",
        """\
One line for every declared instance: does it run, as which process, how many
of its declared sockets does it hold, on which core, and how many changes a
plan would have for it. Before that a change that waits to be confirmed, or a
run that is not at its end, with the commands that go on; after it settings
that the PBX spells otherwise or did not take, and what others had written
and is kept. Read from the kernel, so run it as root on the host.
Changes nothing.""",
        """\
examples:
  pbxfleet status fra1
  pbxfleet --json status fra1

exit codes: 0 printed, whatever the state is, 1 refused""",
        _host,
        "pbxfleet.cli.run_status",
    ),
)
