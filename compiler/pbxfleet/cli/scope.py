"""What a plan is about: the whole host or a part of it, and which machine that is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbxfleet.model.plan import Selection


def scope(parser: ArgumentParser) -> None:
    """The arguments that plan and apply share."""
    parser.add_argument(
        "--host-only",
        action="store_true",
        help="only the host's own files, such as its network; no instance is looked at",
    )
    this_host(parser)


def this_host(parser: ArgumentParser) -> None:
    """The operator's word that this is the right machine."""
    parser.add_argument(
        "--this-host",
        action="store_true",
        help="this is the right machine, whatever its name, addresses and state folder say",
    )
    for option, help_text in (
        ("--target", "only this instance, or the resource with this id; may be said often"),
        ("--exclude", "everything but this instance or resource; may be said often"),
    ):
        parser.add_argument(
            option, metavar="NAME|RESOURCE", action="append", default=[], help=help_text
        )


def selection(args: Namespace) -> Selection:
    """What --target and --exclude take."""
    from pbxfleet.model.plan import Selection

    return Selection(tuple(dict.fromkeys(args.target)), tuple(dict.fromkeys(args.exclude)))
