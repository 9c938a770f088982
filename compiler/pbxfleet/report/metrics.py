"""Metrics in the text format of Prometheus (version 0.0.4), for the textfile collector of its node exporter.

Samples have no timestamps: the collector refuses a file with them. When a run was made is a value of its
own, so that an alert can be raised when runs stop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from pbxfleet.model.sinks import Sample

DRIFT = "pbxfleet_drift_items"
OLDEST = "pbxfleet_drift_oldest_timestamp_seconds"
PENDING = "pbxfleet_pending_changes"
DIFFERS = "pbxfleet_plan_differs"
OWED = "pbxfleet_restart_owed"
UNCONFIRMED = "pbxfleet_confirmation_pending"
EXIT_CODE = "pbxfleet_last_exit_code"
LAST_RUN = "pbxfleet_last_run_timestamp_seconds"
LAST_SUCCESS = "pbxfleet_last_success_timestamp_seconds"
HELP: Mapping[str, str] = {
    DRIFT: "Differences between what was applied and what is observed, by class.",
    OLDEST: "When the oldest of these differences was first seen, 0 without any.",
    PENDING: "Declared changes that are not applied yet.",
    DIFFERS: "Whether a plan would have anything to do.",
    OWED: "Whether the running process was started with something else than lies on disk now.",
    UNCONFIRMED: "Whether a change waits for a person to confirm it.",
    EXIT_CODE: "Exit code of the last run of a command.",
    LAST_RUN: "When a command was run last.",
    LAST_SUCCESS: "When a command last came to its end, whatever it found.",
}
OF_COMMANDS = frozenset((EXIT_CODE, LAST_RUN, LAST_SUCCESS))
OF_DRIFT = frozenset(HELP) - OF_COMMANDS
OF_END = frozenset((UNCONFIRMED,))
OF_APPLY = frozenset((DIFFERS, UNCONFIRMED))
CLASSES = ("changed", "extra", "missing", "mode", "runtime")
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"))


def drift_samples(
    host: str,
    instances: Iterable[str],
    items: Iterable[tuple[str, str]],
    pending: Iterable[str],
    owed: Collection[str],
) -> Iterator[Sample]:
    """What is counted per instance, zeros included: `items` are instance and class, "" is the host itself.

    A value that is not there says nothing; only a zero says that nothing differs.
    """
    counts, waiting = Counter(items), Counter(pending)
    names = sorted({"", *instances, *(name for name, _ in counts), *waiting, *owed})
    for name in names:
        place = (("host", host), ("instance", name))
        for kind in CLASSES:
            yield Sample(DRIFT, (*place, ("class", kind)), counts[name, kind])
        yield Sample(PENDING, place, waiting[name])
        if name:
            yield Sample(OWED, place, int(name in owed))


def run_samples(
    host: str, command: str, exit_code: int, now_s: int, *, succeeded: bool
) -> Iterator[Sample]:
    """When a command was run, and how it ended; its last success stays where it was if it failed."""
    labels = (("host", host), ("command", command))
    yield Sample(EXIT_CODE, labels, exit_code)
    yield Sample(LAST_RUN, labels, now_s)
    if succeeded:
        yield Sample(LAST_SUCCESS, labels, now_s)


def merged(before: str, host: str, measured: Collection[str], samples: Iterable[Sample]) -> str:
    """The text with these samples in the place of what it had of the host for `measured` metrics.

    Other lines stay if they are metrics of ours: several hosts and commands may share a file, and what
    a failed run could not look at keeps its last value. What is no such line is left out.
    """
    kept = dict(_kept(before, host, measured))
    kept |= {_series(sample): str(sample.value) for sample in samples}
    lines = []
    for name, about in HELP.items():
        own = [f"{series} {value}" for series, value in kept.items() if _name(series) == name]
        if own:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge", *sorted(own)]
    return "".join(f"{line}\n" for line in lines)


def _kept(before: str, host: str, measured: Collection[str]) -> Iterator[tuple[str, str]]:
    own = _label("host", host)
    for line in before.split("\n"):
        series, _, value = line.rpartition(" ")
        if _name(series) not in HELP or not series.endswith("}") or not _is_number(value):
            continue
        labels = series.partition("{")[2]
        if _name(series) not in measured or not labels.startswith((f"{own},", f"{own}}}")):
            yield series, value


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()


def _name(series: str) -> str:
    return series.partition("{")[0]


def _series(sample: Sample) -> str:
    return f"{sample.name}{{{','.join(_label(*label) for label in sample.labels)}}}"


def _label(name: str, value: str) -> str:
    for character, escape in _ESCAPES:
        value = value.replace(character, escape)
    return f'{name}="{value}"'
