"""Tell monitoring, people and other programs how a run ended; what goes wrong there changes nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pbxfleet.core.digest import digest_of_data
from pbxfleet.core.errors import HostError
from pbxfleet.host.disk import mode_of_file, read_file, write_file
from pbxfleet.host.state import State
from pbxfleet.model.sinks import Event, Sinks, Tidings

RECORD = "sinks"
METRICS_MODE = 0o644  # the collector has a user of its own
REPORT_MODE = 0o600  # of a new file; one that is there keeps its mode
MOST_ENTRIES = 100  # of the journal for one run; the last one tells how many more there are
INFO, WARNING = "6", "4"  # priorities, syslog(3)
MESSAGE_IDS = {
    "drift": "3e7c2f0b6a2d4f5e9d1c8b7a60514233",
    "apply": "b81f6d2c94e74a0fa6b3d5e2c7f80914",
    "rollback": "5d0f3a8e17c64b2da98c41e60b7f3d52",
    "undo": "c29a7e4410b84f6f8e5d3b9672ad01fc",
    "confirm": "7f16b5d3e8a24c90b4d7206ce95f8a31",
}

Told = Mapping[str, tuple[str, ...]]


class _Run(NamedTuple):
    tidings: Tidings
    sinks: Sinks
    told: Told
    now_s: int

    def known(self, sink: str) -> tuple[str, ...]:
        """Keys of the events that this sink was told of, and that were still there then."""
        return self.told.get(f"{self.tidings.command} {sink}", ())

    def fresh(self, sink: str) -> tuple[Event, ...]:
        """The events that this sink has not been told of."""
        known = {*self.known(sink)}
        return tuple(event for event in self.tidings.events if event.key not in known)


def deliver(tidings: Tidings, sinks: Sinks, state: State | None, now_s: int) -> tuple[str, ...]:
    """Tell every sink that is wanted; a sentence for each that could not be told.

    What people are told (mail, webhook, journal) is remembered per sink in the state folder once it was
    taken, so that it is told once, and again on the next run where it could not be delivered. Without a
    state folder that can be written everything counts as new.
    """
    run = _Run(tidings, sinks, _read(state), now_s)
    failures, told = [], dict(run.told)
    keys = tuple(sorted(event.key for event in tidings.events))
    for name, tell in _sinks(sinks).items():
        try:
            tell(run)
        except HostError as error:
            failures.append(f"{name}: {error}")
        else:
            told[f"{tidings.command} {name}"] = keys
    _keep(state, run.told, {name: keys for name, keys in told.items() if keys})
    return tuple(failures)


def _sinks(sinks: Sinks) -> Mapping[str, Callable[[_Run], None]]:
    wanted: dict[str, tuple[object, Callable[[_Run], None]]] = {
        "metrics": (sinks.metrics, _metrics),
        "report": (sinks.report, _report),
        "mail": (sinks.mail, _mail),
        "webhook": (sinks.webhook, _webhook),
        "journal": (sinks.journal, _journal),
    }
    return {name: tell for name, (is_wanted, tell) in wanted.items() if is_wanted}


# --- files -------------------------------------------------------------------------------------


def _metrics(run: _Run) -> None:
    from pbxfleet.report.metrics import OF_COMMANDS, merged, run_samples

    tidings = run.tidings
    before = (read_file(run.sinks.metrics) or b"").decode("utf-8", "replace")
    samples = (
        *tidings.samples,
        *run_samples(
            tidings.host,
            tidings.command,
            tidings.exit_code,
            run.now_s,
            succeeded=tidings.succeeded,
        ),
    )
    text = merged(before, tidings.host, tidings.measured - OF_COMMANDS, samples)
    write_file(run.sinks.metrics, text.encode(), METRICS_MODE)


def _report(run: _Run) -> None:
    path = run.sinks.report
    mode = mode_of_file(path)
    content = json.dumps(dict(run.tidings.document), indent=1) + "\n"
    write_file(path, content.encode(), REPORT_MODE if mode is None else mode)


# --- people and programs -----------------------------------------------------------------------


def _mail(run: _Run) -> None:
    """A mail about what is new; nothing where nothing is, or where a command has done what was asked."""
    tidings, fresh = run.tidings, run.fresh("mail")
    if not fresh or (tidings.command != "drift" and not tidings.exit_code):
        return
    from pbxfleet.host.mail import send

    lines = [tidings.summary, "", *(event.text for event in fresh)]
    old = len(tidings.events) - len(fresh)
    if old:
        lines += ["", f"{old} more have been told before."]
    send(run.sinks.mail, f"pbxfleet {tidings.command}: {tidings.summary}", "\n".join(lines) + "\n")


def _webhook(run: _Run) -> None:
    """One POST whenever what there is to tell is not what it was, the end of it included."""
    tidings = run.tidings
    keys = tuple(sorted(event.key for event in tidings.events))
    if keys == run.known("webhook"):
        return
    from pbxfleet.host.webhook import headers, hook_of, post

    hook = hook_of(run.sinks.webhook, run.sinks.secret_file)
    document = {
        **tidings.document,
        "host": tidings.host,
        "command": tidings.command,
        "outcome": tidings.outcome,
        "summary": tidings.summary,
        "new": [event.text for event in run.fresh("webhook")],
    }
    body = json.dumps(document, sort_keys=True).encode()
    key = digest_of_data([tidings.host, tidings.command, list(run.known("webhook")), list(keys)])
    event = f"{tidings.command}.{tidings.outcome}"
    post(hook, body, headers(hook, body, event, key.partition(":")[2][:32], run.now_s))


def _journal(run: _Run) -> None:
    """An entry for the run, and one for each thing that is new."""
    from pbxfleet.host.journald import send

    tidings, fresh = run.tidings, run.fresh("journal")
    common = {
        "SYSLOG_IDENTIFIER": "pbxfleet",
        "PBXFLEET_HOST": tidings.host,
        "PBXFLEET_COMMAND": tidings.command,
        "PBXFLEET_OUTCOME": tidings.outcome,
    }
    for event in fresh[:MOST_ENTRIES]:
        about = {"PBXFLEET_INSTANCE": event.instance, "PBXFLEET_ABOUT": event.about}
        send({"MESSAGE": event.text.strip(), "PRIORITY": WARNING, **common, **about})
    more = len(fresh) - MOST_ENTRIES
    message = tidings.summary + (f"; {more} more are not listed here" if more > 0 else "")
    send(
        {
            "MESSAGE": message,
            "PRIORITY": WARNING if tidings.events else INFO,
            "MESSAGE_ID": MESSAGE_IDS[tidings.command],
            **common,
            "PBXFLEET_EXIT_CODE": str(tidings.exit_code),
            "PBXFLEET_EVENTS": str(len(tidings.events)),
        }
    )


# --- memory ------------------------------------------------------------------------------------


def _read(state: State | None) -> Told:
    """What was told before; a damaged memory only makes it told again."""
    try:
        content = None if state is None else state.read_record(RECORD)
        data = {} if content is None else json.loads(content)
        return {str(name): tuple(map(str, keys)) for name, keys in data.items()}
    except (HostError, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _keep(state: State | None, before: Told, told: Told) -> None:
    if state is None or told == before:
        return
    content = json.dumps({name: list(keys) for name, keys in told.items()}, sort_keys=True)
    try:
        state.write_record(RECORD, f"{content}\n".encode())
    except HostError:
        return
