"""Where output goes: data on stdout, talk on stderr."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as in cli.main: what every command imports does without typing
if TYPE_CHECKING:
    from typing import Any, TextIO

    from pbxfleet.report.paint import Paint


class Output:
    """The two streams of one command, and how they are to be written."""

    def __init__(
        self,
        *,
        json: bool = False,
        quiet: bool = False,
        colour: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.json = json
        self.quiet = quiet
        self.colour = colour
        self.stdout = stdout if stdout is not None else sys.stdout
        self.stderr = stderr if stderr is not None else sys.stderr

    def paint(self) -> Paint:
        """Colours for stdout."""
        from pbxfleet.report.paint import Paint

        return Paint(colour=self.colour)

    def text(self, text: str) -> None:
        """Data for people; nothing where JSON was asked for."""
        if not self.json:
            self.stdout.write(text)
            self.stdout.flush()

    def data(self, data: dict[str, Any]) -> None:
        """The one JSON document of the command; nothing where text was asked for."""
        if self.json:
            import json

            self.stdout.write(json.dumps(data, indent=1) + "\n")
            self.stdout.flush()

    def say(self, text: str) -> None:
        """Talk: progress and outcome, never data; nothing with --quiet."""
        if not self.quiet:
            self.stderr.write(text + "\n")
            self.stderr.flush()

    def complain(self, text: str) -> None:
        """A problem; always said."""
        self.stderr.write(text + "\n")
        self.stderr.flush()
