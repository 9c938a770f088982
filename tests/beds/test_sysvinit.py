"""Rendered init scripts on a booted host with a real sysvinit."""

from __future__ import annotations

import json

import pytest

from pbxfleet.model.desired import ServiceBackend
from support.bed_host import install, listening, wish
from support.standin import wait_until
from support.systemd_bed import SysvinitBed

ACME, BETA = "203.0.113.10", "203.0.113.11"
BOTH = {"/usr/local/pbx-acme": {ACME}, "/usr/local/pbx-beta": {BETA}}


@pytest.fixture(scope="module")
def bed(sysvinit: SysvinitBed, tmp_path_factory: pytest.TempPathFactory) -> SysvinitBed:
    """Two instances, enabled and started."""
    wishes = (wish("acme", ACME), wish("beta", BETA))
    install(sysvinit, tmp_path_factory.mktemp("s"), ServiceBackend.SYSV, *wishes)
    for name in ("acme", "beta"):
        said = sysvinit.run("update-rc.d", f"pbx-{name}", "defaults")
        assert (said.stdout, said.stderr) == ("", ""), "insserv complains about the headers"
        sysvinit.run("service", f"pbx-{name}", "start")
    return sysvinit


def test_the_links_are_there(bed: SysvinitBed) -> None:
    # update-rc.d answers 0 also where it made none.
    links = bed.run("find", "/etc", "-path", "/etc/rc*", "-name", "*pbx-*").stdout.split()
    for name in ("acme", "beta"):
        own = sorted(link for link in links if link.endswith(f"pbx-{name}"))
        levels = [(link.split("/")[2], link.split("/")[3][0]) for link in own]
        assert levels == [(f"rc{n}.d", "S" if n in "2345" else "K") for n in "0123456"]


def test_both_run_and_service_knows_it(bed: SysvinitBed) -> None:
    assert listening(bed) == BOTH
    for name in ("acme", "beta"):
        assert bed.run("service", f"pbx-{name}", "status").returncode == 0


def test_stopping_one_leaves_the_other(bed: SysvinitBed) -> None:
    bed.run("service", "pbx-acme", "stop")
    assert bed.run("service", "pbx-acme", "status", check=False).returncode == 3
    assert bed.run("service", "pbx-beta", "status").returncode == 0
    assert listening(bed) == {"/usr/local/pbx-beta": {BETA}}
    bed.run("service", "pbx-acme", "start")
    assert listening(bed) == BOTH


def test_they_come_up_with_the_machine_and_are_ended_before_it(bed: SysvinitBed) -> None:
    # The stand-in leaves a word in pbx.xml when it has time to end; a killed one has none.
    choices = {"standin_rewrite": "exit", "standin_add": "ended_in_order=yes"}
    for name in ("acme", "beta"):
        bed.write(f"/usr/local/pbx-{name}/standin.json", json.dumps(choices))
    bed.reboot()
    for name in ("acme", "beta"):
        assert b"<ended_in_order>yes" in bed.read(f"/usr/local/pbx-{name}/pbx.xml")
    wait_until(lambda: listening(bed) == BOTH, "both are up again")
    bed.power_cut()
    wait_until(lambda: listening(bed) == BOTH, "both are up after a power cut")
