"""Booted hosts, one for each module that asks: booting is cheap, but not free."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.systemd_bed import SystemdBed, SysvinitBed

ADDRESSES = ("203.0.113.10", "203.0.113.11", "203.0.113.12", "203.0.113.13", "2001:db8:1::10")


@pytest.fixture(scope="module")
def systemd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdBed]:
    """A host with systemd and a few addresses."""
    with SystemdBed(tmp_path_factory.mktemp("systemd")) as bed:
        bed.start(ADDRESSES)
        yield bed


@pytest.fixture(scope="module")
def sysvinit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SysvinitBed]:
    """A host with sysvinit and a few addresses."""
    with SysvinitBed(tmp_path_factory.mktemp("sysvinit")) as bed:
        bed.start(ADDRESSES)
        yield bed
