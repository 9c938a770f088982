"""Rules of [[ignore]]: what must never be ignored (IGN101), and what can match nothing (IGN103, IGN104).

Whether a rule matches is known only once every host has been asked that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.paths import parent
from pbxfleet.core.span import Span
from pbxfleet.model.ignoring import LISTENER, PATH, SETTING, literally, matches
from pbxfleet.model.plans import IgnoredHere
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.model.summary import HostSummary, RuleSummary, Said
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES
from pbxfleet.resolve.checks.paths import path_claims
from pbxfleet.resolve.checks.sockets import shown

REFUSED, IDLE, MATCHLESS = "IGN101", "IGN103", "IGN104"
PROTOCOLS = ("tcp", "udp")
# Folders in which more of our files may lie than paths that people declare, or things that resemble them.
OPEN = (
    "/etc/systemd/",
    "/etc/init.d/",
    "/etc/cron.d/",
    "/etc/netplan/",
    "/etc/NetworkManager/",
    "/etc/sysconfig/",
    "/etc/pbxfleet/",
)
GUARDED = (
    "listen.",
    "rtp",
    "cpu",
    "address",
)  # labels of what two instances can take from each other
FILES = (EXECUTABLE, RESOURCES, "pbx.xml")


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """IGN101 for a rule that would hide an outage."""
    for rule in host.ignored:
        if not rule.concerns(host.name):
            continue
        instances = [i for i in host.instances if rule.covers(host.name, i.name)]
        guarded = next(filter(None, (_guarded(rule, instance) for instance in instances)), "")
        if guarded:
            yield _refused(rule, guarded)


def check_fleet(hosts: Sequence[HostSummary]) -> Iterator[Diagnostic]:
    """IGN103 for a setting that no instance declares, IGN104 for a path or socket that no host can have."""
    matched: dict[tuple[str, Span], bool] = {}
    rules: dict[tuple[str, Span], RuleSummary] = {}
    for rule in (rule for host in hosts for rule in host.rules):
        key = (rule.what, rule.pattern.origin)
        rules.setdefault(key, rule)
        matched[key] = matched.get(key, False) or rule.matches
    for key, rule in rules.items():
        if not matched[key]:
            yield _idle(rule) if rule.what == SETTING else _matchless(rule)


def rules_of(host: ResolvedHost) -> Iterator[RuleSummary]:
    """The rules that are about this host, each with whether it can match anything there."""
    for rule in host.ignored:
        instances = [i for i in host.instances if rule.covers(host.name, i.name)]
        is_about = rule.concerns(host.name) and rule.what
        if is_about and (instances or rule.what == PATH):
            pattern = Said(rule.pattern.value, rule.pattern.origin)
            yield RuleSummary(rule.what, pattern, _can_match(rule, host, instances))


def _can_match(rule: IgnoredHere, host: ResolvedHost, instances: list[ResolvedInstance]) -> bool:
    pattern = rule.pattern.value
    if rule.what == SETTING:
        return _is_declared(rule, instances)
    if rule.what == PATH:
        # An extra file is about nothing that was declared, and so about no instance either.
        known = (str(claim.key) for claim in path_claims(host))
        return _may_lie_in(pattern, _open(host)) or any(matches(pattern, path) for path in known)
    sockets = (
        f"{protocol} {address}"
        for protocol in PROTOCOLS
        for instance in instances
        for address in (_bracketed(str(a.value)) for a in instance.addresses)
    )
    named, colon, _ = pattern.rpartition(":")
    return not colon or any(matches(literally(named), socket) for socket in sockets)


def _open(host: ResolvedHost) -> Iterable[str]:
    """Folders in which files of ours lie that nobody declares by path, and what looks like an instance."""
    yield from OPEN
    for instance in host.instances:
        yield f"{parent(instance.paths.directory)}/"
    if host.file.backup is not None:
        yield f"{host.file.backup.directory.value}/"


def _may_lie_in(pattern: str, folders: Iterable[str]) -> bool:
    named = pattern[: min((pattern.find(c) for c in "*?[" if c in pattern), default=len(pattern))]
    return any(named.startswith(folder) or folder.startswith(named) for folder in folders)


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
        return next((socket for socket in sockets if matches(literally(pattern), socket)), "")
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


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _matchless(rule: RuleSummary) -> Diagnostic:
    what = "no file of ours, and nothing beside them, can lie at"
    hint = "correct the path, or remove the rule: whatever else lies on a host never drifts"
    if rule.what == LISTENER:
        what = "no address of an instance that the rule is about is in"
        hint = 'write it as drift shows it, such as "tcp 203.0.113.10:8443", or remove it'
    return Diagnostic(
        MATCHLESS,
        f'{what} "{rule.pattern.value}": there is nothing to ignore',
        rule.pattern.origin,
        Severity.WARNING,
        hint=hint,
    )


def _idle(rule: RuleSummary) -> Diagnostic:
    return Diagnostic(
        IDLE,
        f'no setting that is declared is called "{rule.pattern.value}": there is nothing to ignore',
        rule.pattern.origin,
        Severity.WARNING,
        hint="remove it; what nobody declares is the PBX's own, and never drifts",
    )
