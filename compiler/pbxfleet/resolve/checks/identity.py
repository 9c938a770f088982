"""Identity over the whole fleet: what leads to one PBX, or tells one from another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.summary import HostSummary, InstanceSummary, Said
from pbxfleet.resolve.checks.claims import (
    Claim,
    Conflict,
    Kind,
    Line,
    accuse,
    by_cause,
    owners,
    repeated,
    same_lines,
)
from pbxfleet.resolve.problems import some

# A new instance has this tenant, which answers for every name (https://doc.vodia.com/docs/domain-overview).
EVERY_INSTANCE_HAS = "localhost"


# Names of the DNS, where letters are the same in both cases.
NAMES = (Kind.TENANT, Kind.MANAGEMENT_DNS)

Holder: TypeAlias = tuple[InstanceSummary, Said]


class Rule(NamedTuple):
    """What is said of one kind of identity that two instances have."""

    code: str
    severity: Severity
    what: str
    hint: str


RULES = {
    Kind.TENANT: Rule(
        "ADV104",
        Severity.WARNING,
        "tenant {}",
        "a name leads to one address: remove it from all but one, unless they are a pair",
    ),
    Kind.SYSTEM_NAME: Rule(
        "ADV105",
        Severity.WARNING,
        'the system name "{}"',
        "it tells instances apart in mails and logs: give each its own",
    ),
    Kind.MANAGEMENT_DNS: Rule(
        "ADV107",
        Severity.WARNING,
        "the management DNS name {}",
        "a name leads to one address: give each instance its own",
    ),
    Kind.SYSLOG_PREFIX: Rule(
        "ADV108",
        Severity.ADVICE,
        'the syslog prefix "{}"',
        "it tells instances apart on a collector: give each its own",
    ),
    Kind.LICENCE: Rule(
        "LIC101",
        Severity.ERROR,
        "one activation key",
        "give each its own; where the vendor allows it, say so in [[suppress]] of the fleet",
    ),
}


def check(hosts: Sequence[HostSummary]) -> Iterator[Diagnostic]:
    """ADV104 tenants, ADV105 system names, ADV107 management names, ADV108 syslog prefixes, LIC101
    activation keys that several instances have; LIC102 (advice) instances without a key.

    The halves of a failover pair hold the same tenants, names and keys, and are not reported here.
    """
    instances = {i.name: i for host in hosts for i in host.instances}
    holders = {kind: _holders(kind, instances.values()) for kind in RULES}
    for kind, rule in RULES.items():
        shared = (found for found in holders[kind].values() if len(found) > 1)
        claims = (_claim(kind, *holder) for found in shared for holder in found)
        for group in by_cause(_conflicts(claims, instances), same_lines):
            yield _repeated(rule, group)
    yield from _management(holders, instances)
    yield from _unlicensed(hosts)


def _holders(kind: Kind, instances: Iterable[InstanceSummary]) -> dict[str, list[Holder]]:
    """Who says what of this kind, by its text, in order of the instances.

    Nearly every text has one holder only, of whom no claim need be made.
    """
    found: dict[str, list[Holder]] = {}
    for instance in instances:
        for said in _said(kind, instance):
            if said is not None:
                found.setdefault(_key(kind, said), []).append((instance, said))
    if kind is Kind.TENANT:
        found.pop(EVERY_INSTANCE_HAS, None)
    return found


def _said(kind: Kind, instance: InstanceSummary) -> Iterable[Said | None]:
    match kind:
        case Kind.TENANT:
            return instance.tenants
        case Kind.SYSTEM_NAME:
            return (instance.system_name,)
        case Kind.SYSLOG_PREFIX:
            return (instance.syslog_prefix,)
        case Kind.LICENCE:
            return (instance.licence,)
        case _:
            return (instance.management_dns,)


def _key(kind: Kind, said: Said) -> str:
    return said.value.lower() if kind in NAMES else said.value


def _claim(kind: Kind, instance: InstanceSummary, said: Said) -> Claim:
    key = _key(kind, said)
    what = kind.value if kind is Kind.LICENCE else f"{kind} {key}"
    line = Line(said.origin, what)
    return Claim(kind, key, kind.value, instance.name, instance.span, (line,))


def _conflicts(
    claims: Iterable[Claim], instances: Mapping[str, InstanceSummary]
) -> Iterator[Conflict]:
    for first, later in repeated(claims):
        for again in later:
            if not _is_pair(instances[first.owner], instances[again.owner]):
                yield Conflict(first, again)


def _repeated(rule: Rule, group: list[Conflict]) -> Diagnostic:
    conflict = group[0]
    what = rule.what.format(conflict.later.key)
    message = f"{what} belongs to {some(owners(group))}"
    if conflict.earlier.owner == conflict.later.owner:
        message = f"{what} is declared twice for {conflict.later.owner}"
    found = accuse(rule.code, message, conflict, rule.hint, rule.severity)
    return replace(found, about=tuple(sorted(owners(group))))


def _management(
    holders: Mapping[Kind, Mapping[str, list[Holder]]], instances: Mapping[str, InstanceSummary]
) -> Iterator[Diagnostic]:
    """ADV107 also for a management name that is a tenant of another instance."""
    tenants, kind = holders[Kind.TENANT], Kind.MANAGEMENT_DNS
    for name, found in holders[kind].items():
        for claim in (_claim(kind, *holder) for holder in found if name in tenants):
            tenant = _claim(Kind.TENANT, *tenants[name][0])
            if tenant.owner == claim.owner:
                continue
            if not _is_pair(instances[tenant.owner], instances[claim.owner]):
                rule = RULES[kind]
                message = f"{rule.what.format(name)} of {claim.owner} is a tenant of {tenant.owner}"
                yield accuse(rule.code, message, Conflict(tenant, claim), rule.hint, rule.severity)


def _unlicensed(hosts: Sequence[HostSummary]) -> Iterator[Diagnostic]:
    """LIC102 once for a host, in a fleet where others have their keys; of pairs FLO116 tells."""
    if not any(i.licence is not None for host in hosts for i in host.instances):
        return
    for host in hosts:
        lacking = [i for i in host.instances if i.licence is None and i.failover is None]
        if lacking:
            verb = "has" if len(lacking) == 1 else "have"
            yield Diagnostic(
                "LIC102",
                f"{some(i.name for i in lacking)} {verb} no activation key declared",
                host.span,
                Severity.ADVICE,
                hint='refer to it, as others here do: settings.activation_key = { secret = "NAME" }',
            )


def _is_pair(one: InstanceSummary, other: InstanceSummary) -> bool:
    return one is not other and _names(one, other) and _names(other, one)


def _names(one: InstanceSummary, other: InstanceSummary) -> bool:
    return one.failover is not None and one.failover.peer == other.name
