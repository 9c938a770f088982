"""Elements for RTP and affinity: the range, the bind address of media, the mask of cores."""

from __future__ import annotations

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import AffinityBy, HostFile, Role, Sourced
from pbxfleet.model.net import Address, PortRange
from pbxfleet.pbx.roles import affinity_mask
from pbxfleet.resolve.elements import Elements
from pbxfleet.resolve.listeners import Draft, Source


def add_media(draft: Draft) -> tuple[Sourced[PortRange] | None, Sourced[Address] | None]:
    """Derive the RTP elements; gives the range and the address of media, None where not known.

    Where no layer declares a range, that of the reference file stays. Reports RTP105.
    """
    rtp = draft.grant.rtp
    if rtp is None:
        rtp = reference_range(draft.elements)
    else:
        source = (rtp.origin, rtp.overrode)
        _add(draft, Role.RTP_START, str(rtp.value.first), "rtp", source)
        _add(draft, Role.RTP_END, str(rtp.value.last), "rtp", source)
    return rtp, _bind_address(draft)


def add_affinity(draft: Draft, host: HostFile) -> None:
    """Pin by the PBX's own mask, or empty a mask of the reference file: one mechanism pins."""
    cpu = draft.grant.cpu
    if cpu is not None and host.affinity.value is AffinityBy.PBX:
        source = (cpu.origin, cpu.overrode)
        _add(draft, Role.AFFINITY, affinity_mask(cpu.value), "cpu", source)
        return
    element = draft.elements.by_role.get(Role.AFFINITY)
    if element is not None and element.value:
        origin = host.affinity.origin if cpu is None else cpu.origin
        _add(draft, Role.AFFINITY, "", "cpu", (origin, ()))


def reference_range(elements: Elements) -> Sourced[PortRange] | None:
    """The RTP range of the reference file, None if its roles are not mapped or it is no range."""
    start, end = elements.by_role.get(Role.RTP_START), elements.by_role.get(Role.RTP_END)
    if start is None or end is None:
        return None
    first, last = _port(start.value), _port(end.value)
    if first is None or last is None or first > last:
        return None
    return Sourced(PortRange(first, last), start.span)


def _port(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 5:
        return None
    return int(text) if 1 <= int(text) <= 65535 else None


def _bind_address(draft: Draft) -> Sourced[Address] | None:
    if Role.RTP_BIND not in draft.roles.elements:
        return None
    first = draft.grant.addresses[0]
    if first.value.version != 4:
        draft.share(_no_ipv4(draft.roles.elements[Role.RTP_BIND], first.origin))
        return None
    _add(draft, Role.RTP_BIND, str(first.value), "address", (first.origin, first.overrode))
    return first


def _add(
    draft: Draft, role: Role, value: str, label: str, source: tuple[Span, tuple[Span, ...]]
) -> None:
    name = draft.roles.elements.get(role)
    if name is not None:
        element = draft.elements.by_role.get(role)
        hidden = () if element is None else (element.span,)
        draft.own_element(name, value, label, Source(source[0], (*source[1], *hidden)))


def _no_ipv4(element: str, place: Span) -> Diagnostic:
    return Diagnostic(
        "RTP105",
        f'"{element}" binds media to an IPv4 address, and the instance has none',
        place,
        hint="give the instance an IPv4 address too: no setting is known that binds media to IPv6",
    )
