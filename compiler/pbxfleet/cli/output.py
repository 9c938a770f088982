"""Where output goes: data on stdout, talk on stderr.

Talk that nobody can hear any more (a connection that dropped, a full disk behind a redirection) is
lost and nothing else: whoever is half-way through a change of a host comes to the end of it.
"""

from __future__ import annotations

import os
import sys

from pbxfleet.core.errors import HostError

TYPE_CHECKING = False  # as in cli.main: what every command imports does without typing
if TYPE_CHECKING:
    from typing import Any, TextIO

    from pbxfleet.report.paint import Paint


class Output:
    """The two streams of one command, and how they are to be written.

    Data that cannot be written ends the command, BrokenPipeError where the reader has gone and
    HostError otherwise, unless it was told to `carry_on`.
    """

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
        self.carries_on = False

    def carry_on(self) -> None:
        """From here on a host may be changed: what cannot be written is said to be lost, no more."""
        self.carries_on = True

    def paint(self) -> Paint:
        """Colours for stdout."""
        from pbxfleet.report.paint import Paint

        return Paint(colour=self.colour)

    def text(self, text: str) -> None:
        """Data for people; nothing where JSON was asked for."""
        if not self.json:
            self.write(text)

    def data(self, data: dict[str, Any]) -> None:
        """The one JSON document of the command; nothing where text was asked for."""
        if self.json:
            import json

            self.write(json.dumps(data, indent=1) + "\n")

    def write(self, text: str) -> None:
        """Data in whatever form was asked for."""
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except OSError as error:
            _silence(self.stdout)
            why = (error.strerror or str(error)).lower()
            if self.carries_on:
                self.complain(f"warning: the output could not be written: {why}")
            elif isinstance(error, BrokenPipeError):
                raise
            else:
                raise HostError("the output", why, error.errno or 0) from error

    def say(self, text: str) -> None:
        """Talk: progress and outcome, never data; nothing with --quiet."""
        if not self.quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """A problem; always said."""
        self.ask(text + "\n")

    def ask(self, text: str) -> None:
        """As `complain`, and the line is not over: somebody is to type the rest of it."""
        try:
            self.stderr.write(text)
            self.stderr.flush()
        except OSError:
            _silence(self.stderr)


def _silence(stream: TextIO) -> None:
    """What is still in the buffer goes nowhere; the interpreter would try again at its end."""
    try:
        number = stream.fileno()
    except OSError:  # no stream of the system's
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
