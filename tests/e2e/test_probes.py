"""Probes after a start: what must answer and does not reverts the instance; what may is told."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from support.running_site import RunningSite

Make = Callable[..., RunningSite]


@pytest.fixture(name="site")
def _site(running: Make) -> RunningSite:
    return running("ash", start_timeout=6).up()


def change(site: RunningSite, probes: str = "") -> None:
    head = f"probes = {{ {probes} }}" if probes else ""
    site.change("ash", head, log_filename="x.log")


def test_status_shows_what_every_listener_answers(site: RunningSite) -> None:
    found = site.ok("status", "--json").data
    probes = {(p["probe"], p["role"]): (p["need"], p["ok"], p["said"]) for p in found["probes"]}
    assert probes == {
        ("session", "http"): ("must", True, ""),
        ("session", "https"): ("must", True, ""),
        ("sip_options", "sip_udp"): ("may", True, ""),
        ("sip_options", "sip_tcp"): ("may", True, ""),
        ("sip_options", "sip_tls"): ("may", True, ""),
        ("certificate", "https"): ("may", True, ""),
        ("certificate", "sip_tls"): ("may", True, ""),
    }
    assert found["instances"][0]["probes"] == found["instances"][0]["answered"] == 7
    site.behave("ash", session="500")
    said = site.ok("status").out
    assert "5/7" in said
    assert "warning[PLN127]: ash: session call on tcp" in said
    assert "HTTP 500" in said


def test_a_must_that_fails_reverts_the_instance(site: RunningSite) -> None:
    before = site.pbx_xml("ash")
    site.behave("ash", session="500")
    change(site)
    failed = site.apply("--quiet", expect=6)
    assert "runs, but session call on tcp" in failed.err
    assert "HTTP 500" in failed.err
    assert site.pbx_xml("ash") == before
    site.pid("ash")
    site.behave("ash")
    site.apply("--quiet")
    site.proven()


def test_a_failed_wave_ends_the_run(running: Make) -> None:
    site = running("ash", "birch", start_timeout=6).up()
    birch = site.pid("birch")
    site.behave("ash", session="500")
    change(site)
    site.change("birch", log_filename="x.log")
    site.apply("--quiet", expect=6)
    assert site.pid("birch") == birch


def test_a_may_that_fails_is_told_and_costs_no_other_restart(site: RunningSite) -> None:
    site.behave("ash", tls="expired")
    change(site)
    done = site.apply("--json")
    codes = {n["code"] for n in done.data["unproven"]}
    texts = " ".join(n["message"] for n in done.data["unproven"])
    assert codes == {"PLN127"}
    assert "the certificate has expired on 2021-01-01" in texts
    pid = site.pid("ash")
    site.settles()
    site.apply("--quiet")
    assert site.pid("ash") == pid


def test_a_probe_can_be_made_a_must_or_be_left_out(site: RunningSite) -> None:
    site.behave("ash", sip="deaf")
    change(site, 'sip_options = "off", certificate = "off"')
    done = site.apply("--json")
    assert done.data["unproven"] == []
    assert len(site.ok("status", "--json").data["probes"]) == 2


def test_any_final_response_is_a_sign_of_life(site: RunningSite) -> None:
    site.behave("ash", sip="503")
    change(site, 'sip_options = "must"')
    site.apply("--quiet")
    site.change("ash", 'probes = { sip_options = "must" }', log_filename="y.log")
    site.behave("ash", sip="deaf")
    assert "SIP OPTIONS on udp" in site.apply("--quiet", expect=6).err


def test_who_comes_late_is_waited_for(site: RunningSite) -> None:
    site.behave("ash", late=1.5)
    change(site)
    site.apply("--quiet")
    site.proven()


def test_who_binds_elsewhere_is_reverted(site: RunningSite) -> None:
    site.behave("ash", bind=f"http={site.addresses['ash']}:18081")
    change(site)
    failed = site.apply("--quiet", expect=5)
    assert "does not hold listener tcp" in failed.err
    site.behave("ash")
    site.apply("--quiet")
    site.proven()


def test_the_probes_of_a_deaf_instance_end_in_time(site: RunningSite) -> None:
    change(site, 'sip_options = "off", certificate = "off"')
    site.behave("ash", late=1000)
    found = json.loads(site.ok("status", "--json").out)
    assert [p["said"] for p in found["probes"]] == ["no answer in time"] * 2
