"""Settings that change in the running process: no restart, no false difference, nothing announced in vain."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from support.running_site import HTTP, LOGIN, RunningSite
from support.standin import http_get

Make = Callable[..., RunningSite]
API = 'api = { password_file = "/etc/pbx/api-{instance}" }'


def with_login(site: RunningSite, name: str, word: str = LOGIN) -> None:
    path = site.root / f"etc/pbx/api-{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(word.partition(":")[2] + "\n", encoding="utf-8")
    path.chmod(0o600)


def told(site: RunningSite, name: str) -> dict[str, str]:
    answer = http_get(site.addresses[name], HTTP, "/rest/system/config", LOGIN)
    found: dict[str, str] = json.loads(answer.body)
    return found


@pytest.fixture(name="site")
def _site(running: Make) -> RunningSite:
    site = running("ash")
    site.instance("ash", API)
    with_login(site, "ash")
    return site.up()


def test_a_live_change_costs_no_restart(site: RunningSite) -> None:
    pid = site.pid("ash")
    site.change("ash", API, sys_name="New", log_length=7)
    plan = site.plan()
    assert [s["do"] for s in plan["steps"]] == ["change settings live"]
    assert plan["summary"]["live"] == 2
    assert plan["summary"]["restarts"] == []
    assert "h1: 2 settings change live; " in site.ok("plan").out
    done = site.apply()
    assert "reference-password" not in done.out + done.err
    assert site.pid("ash") == pid
    assert (told(site, "ash")["sys_name"], told(site, "ash")["log_length"]) == ("New", "7")
    site.proven()


@pytest.mark.parametrize("habit", ["never", "exit"])
def test_a_file_that_is_written_later_gives_no_false_difference(
    site: RunningSite, habit: str
) -> None:
    site.behave("ash", rewrite=habit)
    pid = site.pid("ash")
    site.change("ash", API, sys_name="New")
    site.apply("--quiet")
    assert site.pid("ash") == pid
    if habit == "never":
        assert "<sys_name>New" not in site.pbx_xml("ash")
    site.settles()
    (site.root / "etc/pbx/api-ash").unlink()
    site.settles()  # remembered, though nobody may ask any more


def test_the_file_counts_again_once_the_process_is_gone(site: RunningSite) -> None:
    site.behave("ash", rewrite="never")
    site.change("ash", API, sys_name="New")
    site.apply("--quiet")
    site.kill("ash")
    assert "<sys_name>New" not in site.pbx_xml("ash")
    plan = site.plan()
    assert {s["do"] for s in plan["steps"]} >= {"merge settings", "start"}
    site.apply("--quiet")
    assert "<sys_name>New" in site.pbx_xml("ash")
    site.proven()


def test_back_to_the_old_value_is_a_change_as_well(site: RunningSite) -> None:
    site.behave("ash", rewrite="never")
    site.change("ash", API, sys_name="New")
    site.apply("--quiet")
    site.change("ash", API)
    assert [s["do"] for s in site.plan()["steps"]] == ["change settings live"]
    site.apply("--quiet")
    assert told(site, "ash")["sys_name"] == "Ash"
    site.settles()


def test_what_the_process_does_not_take_owes_a_restart(site: RunningSite) -> None:
    site.behave("ash", ignore="sys_name")
    pid = site.pid("ash")
    site.change("ash", API, sys_name="New", log_length=7)
    done = site.apply("--json", expect=7)
    assert done.data["outcome"] == "restart_owed"
    assert [n["code"] for n in done.data["unproven"]] == ["PLN128"]
    assert site.pid("ash") == pid
    assert told(site, "ash")["log_length"] == "7"
    plan = site.plan()
    assert plan["summary"]["restarts"] == ["ash"]
    assert "not live: the running process does not take sys_name" in site.ok("plan").out
    site.apply("--quiet")
    assert site.pid("ash") != pid
    site.proven()


def test_what_the_process_spells_otherwise_is_as_declared(site: RunningSite) -> None:
    site.behave("ash", normalise="log_length=007")
    site.change("ash", API, log_length=7)
    done = site.apply("--json")
    assert [n["code"] for n in done.data["unproven"]] == ["PLN126"]
    site.settles()


def test_a_key_that_the_instance_does_not_tell_costs_a_restart(site: RunningSite) -> None:
    site.behave("ash", hide="sys_name")
    site.change("ash", API, sys_name="New")
    assert site.plan()["summary"]["restarts"] == ["ash"]
    assert "not live: the running process does not take sys_name" in site.ok("plan").out


def test_one_that_needs_a_restart_takes_the_others_with_it(site: RunningSite) -> None:
    site.change("ash", API, sys_name="New", log_filename="x.log")
    plan = site.plan()
    assert "change settings live" not in {s["do"] for s in plan["steps"]}
    assert plan["summary"]["live"] == 0


def test_without_a_login_it_costs_a_restart_and_the_plan_says_why(running: Make) -> None:
    site = running("ash").up()
    site.change("ash", sys_name="New")
    said = site.ok("plan").out
    assert "not live: no [api]" in said
    assert "1 instance restarts (ash), calls not known: no [api]" in said
    site.change("ash", API, sys_name="New")
    with_login(site, "ash", "admin:wrong")
    assert "not live: the login is refused" in site.ok("plan").out


def test_a_web_change_since_is_drift_and_is_set_live_again(site: RunningSite) -> None:
    pid = site.pid("ash")
    site.post("ash", {"sys_name": "Theirs"})
    assert [i["name"] for i in site.drift()] == ["sys_name"]
    site.apply("--quiet")
    assert told(site, "ash")["sys_name"] == "Ash"
    assert site.pid("ash") == pid
    site.proven()
