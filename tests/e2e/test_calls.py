"""What a restart costs: the calls on an instance are asked for where the plan would end them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from support.caller import declare_again, on_calls, with_login
from support.running_site import HTTP, RunningSite

Make = Callable[..., RunningSite]


@pytest.fixture(name="site")
def _site(running: Make) -> RunningSite:
    return running("ash", "birch").up()


def headline(site: RunningSite) -> str:
    return site.ok("plan").out.splitlines()[-1]


def test_the_headline_says_how_many_calls_the_restarts_end(site: RunningSite) -> None:
    with_login(site, "ash", "birch")
    on_calls(site, "ash", 30)
    on_calls(site, "birch", 7)
    declare_again(site, "ash", "birch")
    said = headline(site)
    assert said.startswith("h1: 2 instances restart (ash, birch), 37 calls on them now; ")
    plan = site.plan()
    assert plan["summary"]["calls"] == 37
    assert plan["calls"] == [
        {"instance": "ash", "number": 30, "why": ""},
        {"instance": "birch", "number": 7, "why": ""},
    ]
    assert "reference-password" not in site.ok("plan", "--json").out


def test_nobody_is_asked_who_goes_on(site: RunningSite) -> None:
    with_login(site, "ash", "birch")
    on_calls(site, "ash", 30)
    on_calls(site, "birch", 1)
    declare_again(site, "birch")
    assert headline(site).startswith("h1: 1 instance restarts (birch), 1 call on it now; ")


def test_what_is_not_known_is_said(site: RunningSite) -> None:
    declare_again(site, "ash", api="")
    assert "(ash), calls not known: no [api]; " in headline(site)
    assert (
        site.plan()["summary"] | {"calls": 0, "calls_not_known": ["ash: no [api]"]}
        == (site.plan()["summary"])
    )
    on_calls(site, "birch", 4)
    with_login(site, "birch")
    declare_again(site, "birch")
    assert (
        "(ash, birch), 4 calls on them now without ash (calls not known: no [api]); "
    ) in headline(site)


def test_a_login_that_cannot_be_used_is_said_without_it(site: RunningSite) -> None:
    declare_again(site, "ash")
    assert "calls not known: /etc/pbx/api-ash: is not there; " in headline(site)
    with_login(site, "ash", word="admin:wrong")
    assert "calls not known: the login is refused; " in headline(site)
    (site.root / "etc/pbx/api-ash").chmod(0o640)
    assert "may be read by others (mode 0640); chmod 600 it" in headline(site)


def test_a_status_without_calls_is_not_zero_calls(site: RunningSite) -> None:
    """SNMP is asked where REST does not tell."""
    with_login(site, "ash")
    declare_again(site, "ash")
    site.behave("ash", status="version")
    assert "calls not known: the status does not tell calls; " in headline(site)


def test_snmp_tells_where_it_is_declared(running: Make) -> None:
    site = running("ash")
    listen = "listen = { snmp = 10161 }"
    site.instance("ash", listen, snmp_trusted="localhost")
    site.up()
    on_calls(site, "ash", 12)
    site.change("ash", listen, snmp_trusted="localhost", log_filename="x.log")
    assert headline(site).startswith("h1: 1 instance restarts (ash), 12 calls on it now; ")


def test_no_password_goes_to_a_foreign_process(site: RunningSite) -> None:
    """Somebody else listens where the instance was declared to."""
    with_login(site, "ash")
    declare_again(site, "ash")
    site.kill("ash")
    with socket.create_server((site.addresses["ash"], HTTP)) as server:
        server.settimeout(0.5)
        site.run("plan")
        site.run("status")
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_hanging_instance_holds_up_a_plan_for_seconds_only(site: RunningSite) -> None:
    with_login(site, "ash")
    declare_again(site, "ash")
    site.behave("ash", late=1000)
    assert "calls not known: no answer in time; " in headline(site)


def test_the_password_file_is_not_followed_elsewhere(site: RunningSite, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("reference-password\n")
    secret.chmod(0o600)
    (site.root / "etc/pbx").mkdir(exist_ok=True)
    os.symlink(secret, site.root / "etc/pbx/api-ash")
    declare_again(site, "ash")
    assert "calls not known: /etc/pbx/api-ash: is no file; " in headline(site)
