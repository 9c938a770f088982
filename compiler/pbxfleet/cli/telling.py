"""Options for who is told of a run, and the run that tells them however it ends."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pbxfleet.cli.output import Output
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.exits import Exit
from pbxfleet.model.sinks import NO_SINKS, Sinks

if TYPE_CHECKING:
    from pbxfleet.app.apply import Applied
    from pbxfleet.app.drift import Drift
    from pbxfleet.app.live import Live
    from pbxfleet.app.tidings import End
    from pbxfleet.host.state import State

NOT_APPROVED = "PLN109"
WORDS = """

who is told besides ([sinks] of the fleet and the host says it for good; an
option replaces what is declared, --no-sinks leaves everybody out): a sink that
fails is named on stderr and changes no verdict"""


def sink_options(parser: ArgumentParser) -> None:
    """The options of a command that tells sinks."""
    group = parser.add_argument_group("who is told besides")
    group.add_argument(
        "--metrics", metavar="FILE", default="", help="write metrics for a textfile collector"
    )
    group.add_argument(
        "--report", metavar="FILE", default="", help="write the JSON document to a file"
    )
    group.add_argument(
        "--mail",
        metavar="ADDRESS",
        action="append",
        type=_address,
        default=[],
        help="mail what is new, through sendmail; may be said often",
    )
    group.add_argument(
        "--webhook",
        metavar="URL",
        default="",
        help="post the JSON document when what it tells has changed; file:PATH holds a secret one",
    )
    group.add_argument(
        "--webhook-secret", metavar="FILE", default="", help="sign posts with what is in this file"
    )
    group.add_argument(
        "--journal",
        action="store_const",
        const=True,
        default=None,
        help="write to the journal of systemd, with fields",
    )
    group.add_argument("--no-sinks", action="store_true", help="tell nobody, whatever is declared")


def _address(text: str) -> str:
    if text.startswith("-") or not text.isprintable() or any(c in text for c in ' ,;<>"'):
        raise ArgumentTypeError(f"{text!r} is not a mail address")
    return text


class Telling:
    """Within it a run is made; who wants to know hears how it ended, also where it was refused."""

    def __init__(self, args: Namespace, output: Output, command: str, host: str) -> None:
        self.args, self.output, self.command, self.host = args, output, command, host
        self.root = args.root
        self.live: Live | None = None
        self.state: State | None = None
        self.sinks = NO_SINKS
        self.failures: tuple[str, ...] = ()
        self.flags = Sinks(
            args.metrics,
            args.report,
            tuple(args.mail),
            args.webhook,
            args.webhook_secret,
            args.journal,
        )

    def __enter__(self) -> Telling:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.args.no_sinks or not isinstance(error, (Refused, HostError)):
            return
        if error.code == NOT_APPROVED:
            return  # a person has said no, and knows
        sinks, state = self.sinks, self.state
        if state is None:
            from pbxfleet.app.tidings import declared_sinks

            declared, state = declared_sinks(self.args.chdir, self.host, self.root)
            sinks = self._sinks(declared)
        if sinks.wanted:
            from pbxfleet.app.tidings import told_refused

            self._say(told_refused(self.host, self.command, error, sinks, state))

    def of(self, live: Live, declared: Sinks | None = None) -> Live:
        """The host that it is about, once it is known; it then knows who is told."""
        self.live, self.state = live, live.state
        self.host, self.root = live.target.host, live.root
        sinks = live.target.sinks if declared is None else declared
        if not self.args.no_sinks and (sinks.wanted or self.flags.wanted):
            self.sinks = self._sinks(sinks)
        return live._replace(sinks=self.sinks)

    def of_root(self, root: str) -> None:
        """The host below `root`, of which no target is at hand: its last run said who is told."""
        from pbxfleet.app.hearers import hearers
        from pbxfleet.host.local import LocalHost
        from pbxfleet.host.state import State

        self.state = State(LocalHost(root, "direct"))
        if not self.args.no_sinks:
            self.sinks = self.flags.over(hearers(self.state))

    def drift(self, found: Drift, document: Mapping[str, Any]) -> Exit:
        """Tell of a drift; its exit code, which is 1 in place of 0 where somebody could not be told.

        Whoever waits for a mail, or for metrics, would take silence for good news.
        """
        verdict = Exit.DIFFERENCES if found.items else Exit.DONE
        if self.sinks.wanted and self.live is not None:
            from pbxfleet.app.tidings import told_drift

            self._say(told_drift(self.live, found, document, self.sinks))
        return Exit.REFUSED if self.failures and verdict is Exit.DONE else verdict

    def apply(self, applied: Applied, document: Mapping[str, Any]) -> None:
        """Tell of an apply. Its exit code stays as it is: what was applied is applied."""
        sinks = self.sinks._replace(report=self.args.report)
        if sinks.wanted and self.live is not None:
            from pbxfleet.app.tidings import told_apply

            self._say(told_apply(self.live, applied, document, sinks))

    def end(self, end: End, document: Mapping[str, Any]) -> None:
        """Tell what became of an earlier run; the exit code stays as it is."""
        sinks = self.sinks._replace(report=self.args.report)
        if sinks.wanted and self.state is not None:
            from pbxfleet.app.tidings import told_end

            self._say(told_end(end, document, sinks, self.state))

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is to be told besides whoever reads the output."""
        return self.sinks.wanted

    def _sinks(self, declared: Sinks) -> Sinks:
        from pbxfleet.app.tidings import sinks_of
        from pbxfleet.host.disk import absolute

        return sinks_of(declared, absolute(self.root) if self.root else "/", self.flags)

    def _say(self, failures: tuple[str, ...]) -> None:
        self.failures = failures
        for failure in failures:
            self.output.complain(f"warning: not told: {failure}")
