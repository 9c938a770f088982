"""What a plan is about: the whole host or a part of it, and which machine that is."""

from __future__ import annotations

from argparse import ArgumentParser


def scope(parser: ArgumentParser) -> None:
    """The arguments that plan and apply share."""
    parser.add_argument(
        "--host-only",
        action="store_true",
        help="only the host's own files, such as its network; no instance is looked at",
    )
    parser.add_argument(
        "--this-host",
        action="store_true",
        help="this is the right machine, whatever its name, addresses and state folder say",
    )
