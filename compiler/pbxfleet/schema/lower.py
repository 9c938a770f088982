"""From the models of files to the records that the compiler works with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from pbxfleet.core.span import Span, whole_file
from pbxfleet.model.desired import (
    LISTENER_ROLES,
    ArtefactPin,
    FailoverWish,
    FleetFile,
    HostFile,
    InstanceFile,
    Layer,
    Ownership,
    Policy,
    ReleaseFile,
    Role,
    SecretRef,
    ServiceBackend,
    SettingWish,
    Sourced,
)
from pbxfleet.model.maintenance import UTC, Maintenance
from pbxfleet.model.network import HostNetwork
from pbxfleet.model.plans import Judging, Partner
from pbxfleet.model.services import WindowsWish
from pbxfleet.schema import defaults
from pbxfleet.schema.backup import lower_host as lower_backup
from pbxfleet.schema.backup import lower_wish
from pbxfleet.schema.files import (
    CatalogueModel,
    FleetModel,
    HostModel,
    InstanceModel,
    PolicyModel,
    ReleaseModel,
)
from pbxfleet.schema.guards import lower_guards
from pbxfleet.schema.judging import lower_acknowledgement, lower_ignored, lower_suppression
from pbxfleet.schema.layers import FailoverModel, LayerModel, SettingModel
from pbxfleet.schema.network_host import NetworkModel, lower_network
from pbxfleet.schema.plans import lower_foreign
from pbxfleet.schema.probing import lower_api, lower_probes
from pbxfleet.schema.reservations import lower_addresses, lower_cores, lower_ports, lower_price
from pbxfleet.schema.schedule import lower_schedule
from pbxfleet.schema.services import lower_compose, lower_windows
from pbxfleet.schema.sinks import lower_sinks
from pbxfleet.source.nodes import MappingNode, Node

T = TypeVar("T")


def first_key(root: MappingNode) -> Span:
    """The place that stands for a whole file: its first key."""
    return root.entries[0].key_span if root.entries else whole_file(root.span.file)


def key_place(root: MappingNode, key: str) -> Span:
    """The place of a key of the file, or the start of the file if it is not written."""
    entry = root.get(key)
    return whole_file(root.span.file) if entry is None else entry.key_span


def _key_spans(table: Node | None, key: str) -> Mapping[str, Span]:
    """Places of the keys of the table under `key`, none if there is no such table."""
    below = table.get(key) if isinstance(table, MappingNode) else None
    entries = below.node.entries if below and isinstance(below.node, MappingNode) else ()
    return {entry.key: entry.key_span for entry in entries}


def _lower_defaults(model: LayerModel | None, root: MappingNode) -> Layer:
    """The layer under [defaults]; one that is not written is silent about everything."""
    below = root.get("defaults")
    return Layer() if model is None or below is None else _lower_layer(model, below.node)


def _lower_layer(model: LayerModel, table: Node) -> Layer:
    """A layer; `table` is the node that it was read from."""
    listen, failover = model.listen, model.failover
    binds = {role: getattr(listen, role.value) for role in LISTENER_ROLES} if listen else {}
    names = _key_spans(table, "settings")
    settings = {n: _setting(wish, names[n]) for n, wish in (model.settings or {}).items()}
    removed = {
        n.value: Sourced(SettingWish(None, named_at=n.origin), n.origin) for n in model.unset or ()
    }
    return Layer(
        release=model.release,
        address=None if model.address is None else tuple(model.address),
        cpu=model.cpu,
        listen={role: wish for role, wish in binds.items() if wish is not None},
        rtp=model.rtp,
        failover=_failover(failover),
        backup=lower_wish(model.backup),
        settings=dict(sorted({**settings, **removed}.items())),
        tenants=None if model.tenants is None else tuple(model.tenants),
        ports=model.ports,
        admin_allow=None if model.admin_allow is None else tuple(model.admin_allow),
        source_address=None if model.source_address is None else tuple(model.source_address),
        calls=model.calls,
        acme=model.acme,
        partners=_partners(model, table),
        api=lower_api(model.api),
        probes=lower_probes(model.probes),
    )


def _failover(model: FailoverModel | None) -> FailoverWish:
    if model is None:
        return FailoverWish()
    return FailoverWish(
        role=model.role,
        peer=model.peer,
        peer_scheme=model.peer_scheme,
        peer_url=model.peer_url,
        validation_url=model.validation_url,
        interval_s=model.interval,
        failures=model.failures,
        action_url=model.action_url,
    )


def _partners(model: LayerModel, table: Node) -> Mapping[str, Sourced[Partner]]:
    """Partners in order of their names, each at the place of its name."""
    spans = _key_spans(table, "partners")
    listed = sorted((model.partners or {}).items())
    return {name: Sourced(Partner(name, tuple(admits)), spans[name]) for name, admits in listed}


def _setting(written: Sourced[str] | SettingModel, name: Span) -> Sourced[SettingWish]:
    if isinstance(written, Sourced):
        return Sourced(SettingWish(written.value, named_at=name), written.origin)
    ownership = written.ownership.value if written.ownership else Ownership.OWNED
    raw = written.raw.value if written.raw else False
    if written.secret is not None:
        wish = SettingWish(SecretRef(written.secret.value), ownership, raw, name)
        return Sourced(wish, written.secret.origin)
    assert written.value is not None, "the model admits exactly one of value and secret"
    return Sourced(SettingWish(written.value.value, ownership, raw, name), written.value.origin)


def lower_instance(name: str, model: InstanceModel, root: MappingNode) -> InstanceFile:
    """An instance as its file says."""
    return InstanceFile(
        name=name,
        span=first_key(root),
        host=model.host,
        directory=model.directory,
        number=model.number,
        layer=_lower_layer(model, root),
        management_dns=model.management_dns,
        maintenance=None if model.maintenance is None else _texts(model.maintenance),
    )


def _texts(written: Iterable[Sourced[str]] | None) -> tuple[str, ...]:
    return tuple(text.value for text in written or ())


def lower_host(name: str, model: HostModel, root: MappingNode) -> HostFile:
    """A host as its file says; values that it does not say point at the start of the file."""
    start = whole_file(root.span.file)

    def given(written: Sourced[T] | None, default: T) -> Sourced[T]:
        return Sourced(default, start) if written is None else written

    services = given(model.services, defaults.SERVICES)
    places = defaults.places(services.value)
    return HostFile(
        name=name,
        span=first_key(root),
        address=model.address,
        reserve_address=given(model.reserve_address, defaults.RESERVE_ADDRESS),
        addresses=tuple(model.addresses or ()),
        reserved=lower_addresses(model.reserved),
        cpus=model.cpus,
        system_cpus=model.system_cpus,
        rtp=model.rtp,
        rtp_block=given(model.rtp_block, defaults.RTP_BLOCK),
        services=services,
        directory=given(model.directory, places.directory),
        pid_file=given(model.pid_file, places.pid_file),
        lock_file=given(model.lock_file, places.lock_file),
        failover_file=model.failover_file,
        failover_template=model.failover_template,
        backup_list=given(model.backup_list, places.backup_list),
        backup_exclude=given(model.backup_exclude, places.backup_exclude),
        host_backup_list=given(model.host_backup_list, places.host_backup_list),
        affinity=given(model.affinity, defaults.AFFINITY),
        stop_timeout_s=given(model.stop_timeout, defaults.STOP_TIMEOUT_S),
        defaults=_lower_defaults(model.defaults, root),
        start_timeout_s=given(model.start_timeout, defaults.START_TIMEOUT_S),
        hardening=model.hardening,
        ports=model.ports,
        port_block=given(model.port_block, defaults.PORT_BLOCK),
        network=_network(model.network, root),
        mirror_exclude=given(model.mirror_exclude, places.mirror_exclude),
        backup=lower_backup(model.backup, start),
        compose=lower_compose(model.compose, key_place(root, "compose")),
        foreign_listeners=tuple(map(lower_foreign, model.foreign_listeners or ())),
        ephemeral_ports=model.ephemeral_ports,
        stock_service=model.stock_service,
        reserved_cpus=lower_cores(model.reserved_cpus),
        reserved_ports=lower_ports(model.reserved_ports),
        price=lower_price(model.price),
        windows=_windows(model, services.value, root),
        guards=lower_guards(model),
        sinks=lower_sinks(model.sinks),
        schedule=lower_schedule(model.schedule),
        maintenance=Maintenance(given(model.timezone, UTC).value, _texts(model.maintenance)),
    )


def _network(model: NetworkModel | None, root: MappingNode) -> HostNetwork | None:
    entry = root.get("network")
    return None if model is None or entry is None else lower_network(model, entry.key_span)


def _windows(model: HostModel, services: ServiceBackend, root: MappingNode) -> WindowsWish | None:
    if model.windows is None and services is not ServiceBackend.WINDOWS:
        return None
    return lower_windows(model.windows, key_place(root, "windows"))


def lower_fleet(model: FleetModel, root: MappingNode) -> FleetFile:
    """The fleet as its file says."""
    spans = _key_spans(root, "releases")
    return FleetFile(
        name=model.name,
        span=first_key(root),
        defaults=_lower_defaults(model.defaults, root),
        releases={
            name: _release(name, release, spans[name])
            for name, release in sorted((model.releases or {}).items())
        },
        catalogue=_catalogue(model.catalogue),
        policy=_policy(model.policy),
        artefacts=defaults.ARTEFACTS if model.artefacts is None else model.artefacts.value,
        judging=Judging(
            dict(sorted((model.severity or {}).items())),
            tuple(map(lower_suppression, model.suppress or ())),
            tuple(map(lower_acknowledgement, model.acknowledge or ())),
            tuple(map(lower_ignored, model.ignore or ())),
        ),
        managed_from=tuple(model.managed_from or ()),
        sinks=lower_sinks(model.sinks),
        schedule=lower_schedule(model.schedule),
    )


def _policy(model: PolicyModel | None) -> Policy:
    if model is None:
        return Policy()
    given = {
        key: written.value
        for key in PolicyModel.model_fields
        if key != "empty_hosts" and (written := getattr(model, key)) is not None
    }
    return replace(
        Policy(**given),
        rtp_ports_per_call=model.rtp_ports_per_call,
        empty_hosts=tuple(model.empty_hosts or ()),
    )


def _release(name: str, model: ReleaseModel, span: Span) -> ReleaseFile:
    return ReleaseFile(
        name=name,
        span=span,
        pbxctrl=ArtefactPin(model.pbxctrl.source, model.pbxctrl.sha256),
        dat=ArtefactPin(model.dat.source, model.dat.sha256),
        reference=model.reference,
        reference_address=tuple(model.reference_address or ()),
        version=model.version,
        settings=model.settings,
    )


def _catalogue(model: CatalogueModel | None) -> Mapping[Role, Sourced[str]]:
    if model is None:
        return {}
    written = ((Role(key), getattr(model, key)) for key in CatalogueModel.model_fields)
    return {role: name for role, name in written if name is not None}
