"""Identity over the whole fleet: names that lead to one PBX or tell one from another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.summary import HostSummary, InstanceSummary
from pbxfleet.resolve.problems import Problems

# A new instance has this tenant, which answers for every name (https://doc.vodia.com/docs/domain-overview).
EVERY_INSTANCE_HAS = "localhost"

Use = tuple[InstanceSummary, Span]


def check(hosts: Sequence[HostSummary]) -> Iterator[Diagnostic]:
    """ADV104 (a warning) a tenant in two instances, ADV105 (a warning) one system name twice.

    The halves of a failover pair hold the same tenants and name, and are not reported.
    """
    tenants: dict[str, list[Use]] = {}
    names: dict[str, list[Use]] = {}
    for instance in (i for host in hosts for i in host.instances):
        for tenant in instance.tenants:
            if tenant.value.lower() != EVERY_INSTANCE_HAS:
                tenants.setdefault(tenant.value.lower(), []).append((instance, tenant.origin))
        if instance.system_name is not None:
            text, origin = instance.system_name
            names.setdefault(text, []).append((instance, origin))
    for domain, uses in tenants.items():
        hint = "a name leads to one address: remove it from all but one, unless they are a pair"
        yield from _repeated("ADV104", f"tenant {domain}", uses, hint)
    for text, uses in names.items():
        hint = "it tells instances apart in mails and logs: give each its own"
        yield from _repeated("ADV105", f'the system name "{text}"', uses, hint)


def _repeated(code: str, what: str, uses: list[Use], hint: str) -> Iterator[Diagnostic]:
    """Report every later use that is neither the first one's nor its peer's."""
    if len(uses) == 1:
        return  # nearly all of them, in thousands
    first, place = uses[0]
    problems = Problems()
    for instance, again in uses[1:]:
        if instance is first and again != place:
            message = f"{what} is declared twice for {first.name}"
            related = ((place, "declared here"),)
            problems.add(Diagnostic(code, message, again, Severity.WARNING, related, hint))
        elif instance is not first and not _is_pair(first, instance):
            message = f"{what} belongs to more than one instance"
            related = ((place, f"declared for {first.name} here"),)
            diagnostic = Diagnostic(code, message, again, Severity.WARNING, related, hint)
            problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _is_pair(one: InstanceSummary, other: InstanceSummary) -> bool:
    return _names(one, other) and _names(other, one)


def _names(one: InstanceSummary, other: InstanceSummary) -> bool:
    return one.failover is not None and one.failover.peer == other.name
