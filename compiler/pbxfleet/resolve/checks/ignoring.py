"""Rules of [[ignore]]: what must never be ignored (IGN101), and settings that nobody declares (IGN103)."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.ignoring import LISTENER, PATH, SETTING, matches
from pbxfleet.model.plans import IgnoredHere
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES
from pbxfleet.resolve.checks.sockets import shown

REFUSED, IDLE = "IGN101", "IGN103"
GUARDED = (
    "listen.",
    "rtp",
    "cpu",
    "address",
)  # labels of what two instances can take from each other
FILES = (EXECUTABLE, RESOURCES, "pbx.xml")


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """IGN101 for a rule that would hide an outage; IGN103 for a setting that no instance declares."""
    for rule in host.ignored:
        if not rule.concerns(host.name):
            continue
        instances = [i for i in host.instances if rule.covers(host.name, i.name)]
        guarded = next(filter(None, (_guarded(rule, instance) for instance in instances)), "")
        if guarded:
            yield _refused(rule, guarded)
        elif rule.what == SETTING and instances and not _is_declared(rule, instances):
            yield _idle(rule)


def _guarded(rule: IgnoredHere, instance: ResolvedInstance) -> str:
    """What of the instance the rule must not cover, "" if there is nothing."""
    pattern = rule.pattern.value
    if rule.what == SETTING:
        names = (s.name for s in instance.settings if s.label.startswith(GUARDED))
        return next((name for name in names if matches(pattern, name)), "")
    if rule.what == PATH:
        paths = (f"{instance.paths.directory}/{name}" for name in FILES)
        return next((path for path in paths if matches(pattern, path)), "")
    if rule.what == LISTENER:
        sockets = (
            f"{protocol.value} {shown(listener.bind)}"
            for listener in instance.listeners
            for protocol in listener.protocols
        )
        return next((socket for socket in sockets if matches(pattern, socket)), "")
    return "exactly one of setting, path and listener; class goes with path"


def _is_declared(rule: IgnoredHere, instances: list[ResolvedInstance]) -> bool:
    return any(matches(rule.pattern.value, s.name) for i in instances for s in i.settings)


def _refused(rule: IgnoredHere, guarded: str) -> Diagnostic:
    if not rule.what:
        return Diagnostic(REFUSED, f"a rule of [[ignore]] has {guarded}", rule.expires.origin)
    return Diagnostic(
        REFUSED,
        f'"{rule.pattern.value}" covers {guarded}, which must not be ignored',
        rule.pattern.origin,
        hint="whoever ignores a bind, a core, media or a release ignores an outage; name less",
    )


def _idle(rule: IgnoredHere) -> Diagnostic:
    return Diagnostic(
        IDLE,
        f'no setting that is declared is called "{rule.pattern.value}": there is nothing to ignore',
        rule.pattern.origin,
        Severity.WARNING,
        hint="remove it; what nobody declares is the PBX's own, and never drifts",
    )
