"""Confirm, or the host takes it back by itself: in the end it is exactly one of the two generations."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.host.mail import PROGRAM
from pbxfleet.schema.outputs import document_of
from support.output_schemas import judge
from support.processes import wait_for
from support.receivers import Inbox, hook
from support.running_site import RunningSite

Make = Callable[..., RunningSite]
LONG = "3600"


def changed(site: RunningSite, *words: str) -> None:
    """Two generations: the first applied, the second applied and waiting."""
    site.up()
    site.instance("ash", "backup = { recordings = true }", sys_name="Other")
    site.instance("birch", sys_name="Another", log_length=300)
    site.compile()
    site.apply("--quiet", *words)


def is_first(site: RunningSite) -> bool:
    texts = [site.pbx_xml(name) for name in site.addresses]
    return "<sys_name>Ash<" in texts[0] and "<sys_name>Birch<" in texts[1]


def is_second(site: RunningSite) -> bool:
    texts = [site.pbx_xml(name) for name in site.addresses]
    return "<sys_name>Other<" in texts[0] and "<sys_name>Another<" in texts[1]


def record(site: RunningSite) -> Any:
    path = site.root / "var/lib/pbxfleet/records/pending"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def whole(site: RunningSite) -> None:
    """Nothing waits, nothing is half done, everything runs as declared sockets say."""
    assert record(site) is None
    assert not (site.root / "var/lib/pbxfleet/journal").exists()
    for name in site.addresses:
        assert site.sockets(name) == site.expected(name)


def outcomes(site: RunningSite) -> list[str]:
    return [g["outcome"] for g in site.run("history", "--json").data["generations"]]


def test_confirmed_in_time_it_stays(running: Make) -> None:
    site = running()
    changed(site, "--confirm", LONG)
    assert "PLN173" in site.run("plan").err
    before = record(site)
    assert site.run("confirm", "--extend", "60").code == 0
    assert record(site)["seconds"] == 60 and record(site)["until"] < before["until"]
    assert record(site)["deadline_s"] < before["deadline_s"] - 3000, "what the timer waits for"
    done = site.run("confirm", "--json")
    assert done.code == 0, done
    judge(document_of("confirm"), done.data)
    assert is_second(site)
    whole(site)
    assert outcomes(site) == ["applied", "applied"]
    assert site.run("confirm").code == 1


def test_without_a_word_the_host_takes_it_back(running: Make) -> None:
    site = running()
    changed(site, "--confirm", "2")
    wait_for(lambda: record(site) is None, "the timer")
    assert is_first(site)
    whole(site)
    assert outcomes(site) == ["reverted", "applied"]
    assert site.plan()["changes"], "what was taken back is pending again"


def test_who_waits_for_mail_hears_of_what_the_host_took_back(running: Make, tmp_path: Path) -> None:
    site, file = running(), tmp_path / "pbxfleet.prom"
    with Inbox(tmp_path) as inbox, hook() as server:
        site.env[PROGRAM] = str(inbox.program)
        words = ("--mail", "ops@example.com", "--webhook", server.url, "--metrics", str(file))
        changed(site, "--confirm", "2", *words)
        (applied,) = server.posted
        assert applied.headers["x-pbxfleet-event"] == "apply.done"
        assert 'pbxfleet_confirmation_pending{host="h1"} 1' in file.read_text(encoding="utf-8")
        wait_for(lambda: len(server.posted) == 2 and bool(inbox.received), "the timer")
        told = json.loads(server.posted[1].body)
        assert (told["kind"], told["outcome"]) == ("undo", "rolled_back")
        subject = "undo of h1: rolled back, nobody confirmed it in time"
        assert inbox.received[0]["Subject"] == f"pbxfleet undo: {subject}"
        assert "undone  ash" in inbox.received[0].get_payload()
        wait_for(lambda: 'command="undo"} 6' in file.read_text(encoding="utf-8"), "metrics")
        assert 'pbxfleet_confirmation_pending{host="h1"} 0' in file.read_text(encoding="utf-8")
        assert len(inbox.received) == 1, "nobody is told of an apply that did what was asked"


def test_cancelled_it_is_taken_back_at_once(running: Make) -> None:
    site = running()
    changed(site, "--confirm", LONG)
    done = site.run("confirm", "--cancel", "--json")
    assert done.code == 6, done
    judge("undo.schema.json", done.data)
    assert is_first(site)
    whole(site)


def test_one_change_at_a_time_waits(running: Make) -> None:
    site = running()
    changed(site, "--confirm", LONG)
    site.change("ash", sys_name="Third")
    done = site.run("apply", "--auto-approve")
    assert done.code == 1 and "PLN173" in done.err
    assert site.run("rollback", "--auto-approve").code == 1
    assert is_second(site)
    site.run("confirm", "--cancel")


def test_a_rollback_waits_for_its_word_too(running: Make) -> None:
    site = running("ash").up()
    site.change("ash", sys_name="Second")
    site.apply("--quiet")
    site.change("ash", sys_name="Third")
    site.apply("--quiet", "--confirm", LONG)
    done = site.run("rollback", "--auto-approve")
    assert done.code == 1 and "error[PLN173]" in done.err, done
    assert "<sys_name>Third<" in site.pbx_xml("ash") and len(outcomes(site)) == 2
    os.kill(record(site)["timer"][1], signal.SIGKILL)
    path = site.root / "var/lib/pbxfleet/records/pending"
    path.write_text(json.dumps({**record(site), "boot_id": "another"}), encoding="utf-8")
    assert site.run("rollback", "--auto-approve").code == 6
    assert "<sys_name>Second<" in site.pbx_xml("ash")
    whole(site)
    assert outcomes(site) == ["reverted", "applied", "applied"]


def test_a_killed_timer_leaves_the_decision_to_a_person_or_to_the_next_apply(running: Make) -> None:
    site = running()
    changed(site, "--confirm", "3")
    os.kill(record(site)["timer"][1], signal.SIGKILL)
    wait_for(lambda: "its timer is gone" in site.run("drift").err, "the deadline")
    assert is_second(site)
    done = site.run("apply", "--auto-approve")
    assert done.code == 6, done
    assert is_first(site)
    whole(site)


def test_after_a_boot_nobody_has_confirmed(running: Make) -> None:
    site = running()
    changed(site, "--confirm", LONG)
    os.kill(record(site)["timer"][1], signal.SIGKILL)
    path = site.root / "var/lib/pbxfleet/records/pending"
    path.write_text(json.dumps({**record(site), "boot_id": "another"}), encoding="utf-8")
    for name in site.addresses:
        site.kill(name)
    assert site.run("apply", "--auto-approve").code == 6
    assert is_first(site)
    whole(site)


@pytest.mark.parametrize("steps", [2, 7])
def test_killed_in_the_middle_the_timer_still_takes_it_back(running: Make, steps: int) -> None:
    site = running()
    site.up()
    site.instance("ash", "backup = { recordings = true }", sys_name="Other")
    site.instance("birch", sys_name="Another", log_length=300)
    site.compile()
    with site.applying("--confirm", "4") as process:
        wait_for(lambda: site.steps_begun() >= steps, "some steps")
        process.kill()
        process.communicate(timeout=60)
    assert site.run("confirm").code in (1, 4), "refused, or the timer is at it already"
    wait_for(lambda: record(site) is None, "the timer")
    assert is_first(site)
    whole(site)


def test_the_connection_that_applied_it_proves_nothing(running: Make) -> None:
    site = running()
    site.env["SSH_CONNECTION"] = "192.0.2.1 50000 192.0.2.2 22"
    changed(site, "--confirm", LONG)
    done = site.run("confirm")
    assert done.code == 1 and "PLN174" in done.err
    site.env["SSH_CONNECTION"] = "192.0.2.1 50001 192.0.2.2 22"
    assert site.run("confirm").code == 0


def test_an_apply_that_changes_nothing_sets_no_timer(running: Make) -> None:
    site = running().up()
    site.apply("--quiet", "--confirm", LONG)
    assert record(site) is None


def test_a_failed_change_waits_for_nobody(running: Make) -> None:
    site = running(start_timeout=2).up()
    site.instance("ash", sys_name="Other")
    site.compile()
    site.behave("ash", delay_start=30)
    done = site.run("apply", "--auto-approve", "--confirm", LONG)
    assert done.code in (5, 6), done
    site.behave("ash")
    site.kill("ash")  # it would be half a minute yet before it is as it was
    assert record(site) is None or site.run("confirm", "--cancel").code == 6
