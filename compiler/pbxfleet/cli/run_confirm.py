"""`pbxfleet confirm`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.model.journal import TakenBack


def run(args: Namespace, output: Output) -> int:
    """Keep the change that waits, or move its deadline, or take it back."""
    from pbxfleet.app import confirm
    from pbxfleet.cli.run_apply import NOT_CONFIRMED, told_undone
    from pbxfleet.cli.telling import Telling
    from pbxfleet.host.disk import absolute, is_directory
    from pbxfleet.host.who import operator
    from pbxfleet.report.undone import taken_line

    root = absolute(args.root)
    if not args.root or not is_directory(root):
        raise Refused(
            f"{args.root!r} is not a folder", hint="--root names the folder that is the host's /"
        )

    def tell(taken: TakenBack) -> None:
        output.say(taken_line(taken))

    telling = Telling(
        args, output, "undo" if args.undo_after or args.cancel else "confirm", args.host
    )
    telling.of_root(root)
    if args.undo_after is not None:
        with telling:  # nobody is there to read what went wrong
            undone = confirm.undo_after(args.host, root, args.undo_after, tell)
        return Exit.DONE if undone is None else told_undone(undone, output, telling, NOT_CONFIRMED)
    if args.cancel:
        undone = confirm.cancel(args.host, root, tell, args.lock_timeout)
        return told_undone(undone, output, telling, f"by {operator()}")
    if args.extend is not None:
        pending = confirm.extend(args.host, root, args.extend, args.lock_timeout)
        text = f"{args.host}: waits until {pending.until}"
    else:
        pending = confirm.confirm(
            args.host,
            root,
            same_connection=args.same_connection,
            lock_timeout_s=args.lock_timeout,
        )
        text = f"{args.host}: confirmed"
    output.text(text + "\n")
    document = {
        "format": 1,
        "kind": "confirm",
        "outcome": Exit.DONE.word,
        "host": args.host,
        "confirmed": args.extend is None,
        "until": pending.until,
    }
    output.data(document)
    if args.extend is None:
        from pbxfleet.app.tidings import End

        who = f"by {operator()}"
        telling.end(End(args.host, "confirm", Exit.DONE, who, text, succeeded=True), document)
    return Exit.DONE
