"""What a row of the table of commands is."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable


class Command:
    """A row of the table. `module` has `run(args, output) -> int`; it is imported when it is called.

    `description` and `more` are printed as they are: lines of at most 78 characters.
    """

    # Not a NamedTuple: importing `typing` is a tenth of what `--help` may cost.
    __slots__ = ("arguments", "description", "help", "module", "more", "name")

    def __init__(
        self,
        name: str,
        help: str,
        description: str,
        more: str,
        arguments: Callable[[ArgumentParser], None],
        module: str,
    ) -> None:
        self.name = name
        self.help = help
        self.description = description
        self.more = more
        self.arguments = arguments
        self.module = module
