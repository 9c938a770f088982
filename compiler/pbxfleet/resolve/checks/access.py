"""Allow-lists: ours must let pbxfleet in, and those of partners the address that requests come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.network import standard_addresses
from pbxfleet.model.plans import Partner
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import Problems, some


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """FWL111 (a warning) pbxfleet is locked out, FWL112 (advice) nobody knows, NET105 partners.

    NET105 (a warning): outgoing TCP leaves from the host's standard address unless a source address
    is declared (https://web.vodia.com/blog/multiple-instances-single-server); a partner who admits
    other addresses only will refuse it.
    """
    problems = Problems()
    standard = standard_addresses(host.file)
    for instance in host.instances:
        found = [*_locked_out(host, instance), *_partners(instance, standard)]
        for diagnostic in found:
            problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _locked_out(host: ResolvedHost, instance: ResolvedInstance) -> Iterator[Diagnostic]:
    allowed = instance.admin_allow
    if not allowed:
        return
    if not host.managed_from:
        yield Diagnostic(
            "FWL112",
            "nobody knows whether this allow-list lets pbxfleet and its administrators in",
            allowed[0].origin,
            Severity.ADVICE,
            hint="say in the fleet's file where they come from: managed_from = [...]",
        )
        return
    for source in host.managed_from:
        if not any(source.value in network.value for network in allowed):
            yield Diagnostic(
                "FWL111",
                f"the allow-list leaves out {source.value}, from which the instances are managed",
                allowed[0].origin,
                Severity.WARNING,
                related=((source.origin, "managed from here"),),
                hint=f"add {source.value} to admin_allow, or take it out of managed_from",
            )


def _partners(instance: ResolvedInstance, standard: dict[Address, Span]) -> Iterator[Diagnostic]:
    leaves = [(a.value, a.origin) for a in instance.source_addresses] or list(standard.items())
    for partner in instance.partners:
        for address, place in leaves:
            # A partner with addresses of one family only is called over that family.
            mine = [a for a in partner.value.admits if a.value.version == address.version]
            if mine and all(a.value != address for a in mine):
                yield _refused(partner, mine, address, place)


def _refused(
    partner: Sourced[Partner], admits: Sequence[Sourced[Address]], address: Address, place: Span
) -> Diagnostic:
    return Diagnostic(
        "NET105",
        f"{partner.value.name} admits {some(str(a.value) for a in admits)}, but requests leave from "
        f"{address}",
        admits[0].origin,
        Severity.WARNING,
        related=((place, f"{address} is where they leave from"),),
        hint=f"have {address} admitted, or choose another source_address",
    )
