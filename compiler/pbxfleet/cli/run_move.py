"""`pbxfleet move`."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.core.errors import Refused, WrongUsage
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.app.move import Changed, Moved
    from pbxfleet.model.resolved import Thing

HELP = "pbxfleet move --help tells the ways to use it"


def run(args: Namespace, output: Output) -> int:
    """Show what changes in the ledger, and write it once that is approved; with --check only exit 2."""
    moved = _moved(args, check=True)
    changed = bool(moved.changes)
    if changed and not args.check:
        _refuse_without_terminal(args)
    rows = [(one.host, one.thing.words, *_who(one)) for one in moved.changes]
    width = max((len(what) for _, what, _, _ in rows), default=0)
    for host, what, before, after in rows:
        output.text(f"{host}  {what:{width}}  {before} -> {after}\n")
    if changed and not args.check:
        _approve(args, output)
        moved = _moved(args, check=False)
    exit_code = Exit.DIFFERENCES if changed and args.check else Exit.DONE
    output.data(
        {
            "format": 1,
            "outcome": exit_code.word,
            "changes": [
                {
                    "host": one.host,
                    "kind": one.thing.resource.value,
                    "value": one.thing.text,
                    "before": list(one.before),
                    "after": list(one.after),
                }
                for one in moved.changes
            ],
            "notes": list(moved.notes) if changed else [],
        }
    )
    if not changed:
        output.say("nothing changes in the ledger")
        return exit_code
    output.say("nothing was written" if args.check else "desired/ledger.toml is written")
    for note in moved.notes:
        output.say(f"next: {note}")
    return exit_code


def _refuse_without_terminal(args: Namespace) -> None:
    if not args.auto_approve and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            "move asks before it writes, and there is no terminal to ask on",
            hint="use --auto-approve; --check shows what would change",
            code="PLN109",
        )


def _approve(args: Namespace, output: Output) -> None:
    if args.auto_approve:
        return
    output.stderr.write("Type yes to write this into desired/ledger.toml: ")
    output.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise Refused("not approved; nothing was written", code="PLN109")


def _who(change: Changed) -> tuple[str, str]:
    return " and ".join(change.before) or "free", " and ".join(change.after) or "free"


def _moved(args: Namespace, *, check: bool) -> Moved:
    from pbxfleet.app import move

    names, things = list(args.names), _things(args)
    if sum((args.release, args.reallocate, bool(things))) > 1:
        raise WrongUsage("only one of --release, --reallocate and new values at a time", hint=HELP)
    if args.only is not None and not args.reallocate:
        raise WrongUsage("--only belongs to --reallocate", hint=HELP)
    if args.release:
        return move.release(args.chdir, names, check=check)
    if len(names) == 1 and args.reallocate:
        return move.reallocate(args.chdir, names[0], args.only, check=check)
    if len(names) == 1 and things:
        return move.give(args.chdir, names[0], things, check=check)
    if len(names) == 2 and not things and not args.reallocate:
        return move.rename(args.chdir, *names, check=check)
    raise WrongUsage("it does not say what is to move where", hint=HELP)


def _things(args: Namespace) -> list[Thing]:
    from pbxfleet.model.resolved import Resource, Thing

    one = (
        (Resource.CORE, args.cpu),
        (Resource.RTP, args.rtp),
        (Resource.PORTS, args.ports),
        (Resource.NUMBER, args.number),
    )
    things = [Thing(Resource.ADDRESS, text) for text in args.address]
    return things + [Thing(resource, text) for resource, text in one if text is not None]
