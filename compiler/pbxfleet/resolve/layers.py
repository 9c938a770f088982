"""Layering: what a nearer layer says wins, and the places it overrode are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from pbxfleet.model.backup import BackupWish
from pbxfleet.model.desired import FailoverWish, Layer, Sourced
from pbxfleet.model.probing import ApiWish, ProbesWish

T = TypeVar("T")
K = TypeVar("K", bound=str)


def join(nearer: Layer, farther: Layer) -> Layer:
    """One layer that says what both say; where both speak, `nearer` wins.

    `listen`, `settings`, `partners`, `failover`, `backup`, `api` and `probes` are joined key by key;
    lists are taken whole. The winner's `overrode` lists the places it hides, nearest layer first. Joining is
    associative.
    """
    return Layer(
        release=_one(nearer.release, farther.release),
        address=_whole(nearer.address, farther.address),
        cpu=_one(nearer.cpu, farther.cpu),
        listen=_keys(nearer.listen, farther.listen),
        rtp=_one(nearer.rtp, farther.rtp),
        failover=_failover(nearer.failover, farther.failover),
        backup=_backup(nearer.backup, farther.backup),
        settings=_keys(nearer.settings, farther.settings),
        tenants=_whole(nearer.tenants, farther.tenants),
        ports=_one(nearer.ports, farther.ports),
        admin_allow=_whole(nearer.admin_allow, farther.admin_allow),
        source_address=_whole(nearer.source_address, farther.source_address),
        calls=_one(nearer.calls, farther.calls),
        acme=_one(nearer.acme, farther.acme),
        partners=_keys(nearer.partners, farther.partners),
        api=_api(nearer.api, farther.api),
        probes=_probes(nearer.probes, farther.probes),
    )


def _failover(nearer: FailoverWish, farther: FailoverWish) -> FailoverWish:
    return FailoverWish(
        role=_one(nearer.role, farther.role),
        peer=_one(nearer.peer, farther.peer),
        peer_scheme=_one(nearer.peer_scheme, farther.peer_scheme),
        peer_url=_one(nearer.peer_url, farther.peer_url),
        validation_url=_one(nearer.validation_url, farther.validation_url),
        interval_s=_one(nearer.interval_s, farther.interval_s),
        failures=_one(nearer.failures, farther.failures),
        action_url=_one(nearer.action_url, farther.action_url),
    )


def _api(nearer: ApiWish, farther: ApiWish) -> ApiWish:
    return ApiWish(
        _one(nearer.user, farther.user), _one(nearer.password_file, farther.password_file)
    )


def _probes(nearer: ProbesWish, farther: ProbesWish) -> ProbesWish:
    return ProbesWish(
        _one(nearer.session, farther.session),
        _one(nearer.sip_options, farther.sip_options),
        _one(nearer.certificate, farther.certificate),
        _one(nearer.stable_s, farther.stable_s),
    )


def _backup(nearer: BackupWish, farther: BackupWish) -> BackupWish:
    return BackupWish(
        kept=_keys(nearer.kept, farther.kept),
        names={**farther.names, **nearer.names},
        extra=_whole(nearer.extra, farther.extra),
    )


def _one(nearer: Sourced[T] | None, farther: Sourced[T] | None) -> Sourced[T] | None:
    if nearer is None:
        return farther
    return nearer if farther is None else _over(nearer, farther)


def _whole(
    nearer: tuple[Sourced[T], ...] | None, farther: tuple[Sourced[T], ...] | None
) -> tuple[Sourced[T], ...] | None:
    if nearer is None:
        return farther
    return tuple(_over(value, farther[0]) for value in nearer) if farther else nearer


def _keys(
    nearer: Mapping[K, Sourced[T]], farther: Mapping[K, Sourced[T]]
) -> Mapping[K, Sourced[T]]:
    if not nearer or not farther:
        return nearer or farther
    joined = dict(farther)
    for key, value in nearer.items():
        hidden = farther.get(key)
        joined[key] = value if hidden is None else _over(value, hidden)
    return joined


def _over(nearer: Sourced[T], farther: Sourced[T]) -> Sourced[T]:
    return replace(nearer, overrode=(*nearer.overrode, farther.origin, *farther.overrode))
