"""One instance: everything it needs, joined from its layers, its grant and its release."""

from __future__ import annotations

from pbxfleet.model.desired import HostFile
from pbxfleet.model.probing import API_USER, ApiWish, ProbesWish
from pbxfleet.model.resolved import ResolvedInstance
from pbxfleet.model.target import PROBES, Login, Probes
from pbxfleet.resolve.backup import instance_backup
from pbxfleet.resolve.listeners import Draft, add_listeners
from pbxfleet.resolve.media import add_affinity, add_media
from pbxfleet.resolve.paths import PathMaker, directory_template, instance_paths, path_values
from pbxfleet.resolve.settings import add_settings, check_known
from pbxfleet.resolve.source_address import source_addresses


def build_instance(draft: Draft, host: HostFile) -> ResolvedInstance | None:
    """The resolved instance without its failover half; None if it has no address or no paths.

    What is wrong with it is in the draft's problems, which also tell whether it may be used.
    """
    file, grant, layer = draft.file, draft.grant, draft.layer
    if not grant.addresses or layer.release is None:
        return None
    add_listeners(draft)
    rtp, rtp_bind = add_media(draft)
    add_affinity(draft, host)
    add_settings(draft)
    check_known(draft)
    values = path_values(file.name, grant.addresses[0].value, grant.number)
    paired = layer.failover.role is not None or layer.failover.peer is not None
    make = PathMaker(values, file, draft.problems)
    paths = instance_paths(host, make, paired=paired)
    if paths is None:
        return None
    return ResolvedInstance(
        name=file.name,
        number=grant.number,
        span=file.span,
        release=draft.elements.release,
        release_origin=layer.release.origin,
        addresses=grant.addresses,
        cpu=grant.cpu,
        listeners=tuple(draft.listeners),
        rtp=rtp,
        rtp_bind=rtp_bind,
        paths=paths,
        directory_origin=directory_template(host, file).origin,
        settings=tuple(sorted(draft.settings, key=lambda setting: setting.name)),
        failover=None,
        tenants=layer.tenants or (),
        admin_allow=layer.admin_allow or (),
        source_addresses=source_addresses(layer.source_address or (), grant.addresses),
        backup=instance_backup(layer.backup, file.name, file.span, draft.problems),
        calls=layer.calls,
        acme=layer.acme,
        management_dns=file.management_dns,
        directory_template=file.directory,
        number_origin=None if file.number is None else file.number.origin,
        remembered=grant.remembered,
        partners=tuple(layer.partners[name] for name in sorted(layer.partners)),
        api=_login(layer.api, make),
        probes=_probes(layer.probes),
    )


def _login(wish: ApiWish, make: PathMaker) -> Login | None:
    """The login; None if no file with its password is declared, or its path was reported."""
    path = None if wish.password_file is None else make.path(wish.password_file)
    if path is None:
        return None
    return Login(API_USER if wish.user is None else wish.user.value, path)


def _probes(wish: ProbesWish) -> Probes:
    return Probes(
        PROBES.session if wish.session is None else wish.session.value,
        PROBES.sip_options if wish.sip_options is None else wish.sip_options.value,
        PROBES.certificate if wish.certificate is None else wish.certificate.value,
        PROBES.stable_s if wish.stable_s is None else wish.stable_s.value,
    )
