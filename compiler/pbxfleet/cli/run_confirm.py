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
    from pbxfleet.cli.run_apply import told_undone
    from pbxfleet.host.disk import absolute, is_directory
    from pbxfleet.report.undone import taken_line

    root = absolute(args.root)
    if not args.root or not is_directory(root):
        raise Refused(
            f"{args.root!r} is not a folder", hint="--root names the folder that is the host's /"
        )

    def tell(taken: TakenBack) -> None:
        output.say(taken_line(taken))

    if args.undo_after is not None:
        undone = confirm.undo_after(args.host, root, args.undo_after, tell)
        return Exit.DONE if undone is None else told_undone(undone, output)
    if args.cancel:
        return told_undone(confirm.cancel(args.host, root, tell, args.lock_timeout), output)
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
    output.data(
        {
            "format": 1,
            "kind": "confirm",
            "outcome": Exit.DONE.word,
            "host": args.host,
            "confirmed": args.extend is None,
            "until": pending.until,
        }
    )
    return Exit.DONE
