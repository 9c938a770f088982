"""What a plan is about: the whole host or a part of it, and which machine that is."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
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
    for option, help_text in (
        ("--target", "only this instance, or the resource with this id; may be said often"),
        ("--exclude", "everything but this instance or resource; may be said often"),
    ):
        parser.add_argument(
            option, metavar="NAME|RESOURCE", action="append", default=[], help=help_text
        )


def this_host(parser: ArgumentParser) -> None:
    """The operator's word that this is the right machine."""
    parser.add_argument(
        "--this-host",
        action="store_true",
        help="this is the right machine, whatever its name, addresses and state folder say",
    )


def selection(args: Namespace) -> Selection:
    """What --target and --exclude take."""
    from pbxfleet.model.plan import Selection

    return Selection(tuple(dict.fromkeys(args.target)), tuple(dict.fromkeys(args.exclude)))


MOST_SIGHTINGS = 10_000
LONGEST_S = 86_400


def seconds(text: str) -> int:
    """A time to wait, from one second to a day."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= LONGEST_S:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to {LONGEST_S}")
    return int(text)


def reason(text: str) -> str:
    """Why something is done that is usually not; one line, not empty."""
    if not text.strip() or not text.isprintable():
        raise ArgumentTypeError("say why, in one line")
    return text.strip()


def sightings(text: str) -> int:
    """A number of runs in a row."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST_SIGHTINGS:
        raise ArgumentTypeError(f"{text!r} is not a number of runs from 1 to {MOST_SIGHTINGS}")
    return int(text)
