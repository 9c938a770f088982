"""Who is told what a run has found: monitoring, people, other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Sinks(NamedTuple):
    """Where the outcome of a run goes, besides its output; empty values are sinks that are not wanted.

    `metrics` and `report` are files on the host: for a textfile collector of Prometheus, and the JSON
    document. `mail` are addresses. `webhook` is a web address, or "file:" and a path on the host that
    holds one; `secret_file` holds what requests to it are signed with. `journal` is systemd's.
    """

    metrics: str = ""
    report: str = ""
    mail: tuple[str, ...] = ()
    webhook: str = ""
    secret_file: str = ""
    journal: bool | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self.metrics or self.report or self.mail or self.webhook or self.journal)

    def over(self, other: Sinks) -> Sinks:
        """These, and what the other ones say where these are silent."""
        silent = ("", (), None)
        pairs = zip(self, other, strict=True)
        return Sinks._make(theirs if mine in silent else mine for mine, theirs in pairs)


NO_SINKS = Sinks()


def sinks_from(raw: Any) -> Sinks:
    """Sinks from a JSON object; KeyError, TypeError or ValueError if it is none."""
    found = Sinks(**{name: raw[name] for name in Sinks._fields})
    found = found._replace(mail=tuple(found.mail))
    texts = (found.metrics, found.report, found.webhook, found.secret_file, *found.mail)
    if any(type(text) is not str for text in texts) or found.journal not in (None, True, False):
        raise TypeError("a value has the wrong type")
    return found


class Sample(NamedTuple):
    """One value of a metric; `labels` in the order in which they are written, the host first."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: int


class Event(NamedTuple):
    """One thing that people want to hear of once. `key` is the same in every run that finds it."""

    key: str
    instance: str
    about: str
    text: str


class Tidings(NamedTuple):
    """What one run has to tell.

    `command` is its word (`drift`, `apply`, `rollback`, `confirm`, `undo`) and `outcome` the word of its
    exit code. `summary` is one line, `document` the JSON document of the command.
    `samples` replace those of the same host in the metrics that are in `measured`; the others stay.
    `succeeded` tells that the run came to its end, whatever it found.
    """

    host: str
    command: str
    exit_code: int
    outcome: str
    summary: str
    document: Mapping[str, Any]
    events: tuple[Event, ...]
    samples: tuple[Sample, ...]
    measured: frozenset[str]
    succeeded: bool
