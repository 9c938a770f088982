"""What must be true of a running instance, from what was resolved."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.core.digest import Digest
from pbxfleet.model.net import Bind, Family
from pbxfleet.model.resolved import Listener, ReleaseRules, ResolvedHost, ResolvedInstance
from pbxfleet.model.target import ExpectedListener, InstanceTarget, ReleaseTarget
from pbxfleet.pbx.versions import parse_version
from pbxfleet.render.services.base import executable_path
from pbxfleet.render.services.compose import has_own_networks


def instance_target(host: ResolvedHost, instance: ResolvedInstance) -> InstanceTarget:
    """The declaration that starting, stopping and proving an instance go by."""
    paths = instance.paths
    rtp = instance.rtp
    return InstanceTarget(
        name=instance.name,
        directory=paths.directory,
        service=paths.service_name,
        executable=executable_path(host, instance),
        executable_digest=Digest(f"sha256:{instance.release.pbxctrl.sha256.value}"),
        pid_file=paths.pid_file,
        cpu=None if instance.cpu is None else instance.cpu.value,
        listeners=tuple(sorted({_expected(listener) for listener in instance.listeners})),
        addresses=tuple(str(address.value) for address in instance.addresses),
        rtp_address=None if instance.rtp_bind is None else str(instance.rtp_bind.value),
        rtp=None if rtp is None else (rtp.value.first, rtp.value.last),
        peer=None if instance.failover is None else instance.failover.peer,
        origin=str(instance.span),
        release=instance.release.name,
        api=instance.api,
        probes=instance.probes,
    )


def release_targets(rules: ReleaseRules, known: Mapping[str, Digest]) -> dict[str, ReleaseTarget]:
    """Every declared release, by name: what lies on a host may be another one than it should be.

    `known` are the digests of the lists of settings, by release, where the host needs them.
    """
    return {
        release.name: ReleaseTarget(
            release.version_text if parse_version(release.version_text) else "",
            Digest(f"sha256:{release.pbxctrl.sha256.value}"),
            Digest(f"sha256:{release.dat.sha256.value}"),
            known.get(release.name, ""),
        )
        for release in rules.declared
    }


def host_addresses(host: ResolvedHost) -> tuple[str, ...]:
    """Addresses that the machine must have: its standard address and those of its instances."""
    own = [] if host.file.address is None else [host.file.address.value]
    wanted = {*own}
    if not has_own_networks(host):
        wanted |= {a.value for instance in host.instances for a in instance.addresses}
    return tuple(str(a) for a in sorted(wanted, key=lambda a: (a.version, int(a))))


def _expected(listener: Listener) -> ExpectedListener:
    protocols = listener.protocols
    protocol = protocols[0].value if len(protocols) == 1 else "any"
    return ExpectedListener(
        protocol, _address(listener.bind), listener.bind.port, str(listener.role)
    )


def _address(bind: Bind) -> str:
    if bind.address is not None:
        return str(bind.address)
    return "0.0.0.0" if bind.family is Family.IPV4 else "::"  # noqa: S104 - proof, not a bind
