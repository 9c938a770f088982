"""The run that is not at its end, as the status shows it: until when, how far, and what to run now."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

from pbxfleet.host.local import LocalHost
from pbxfleet.host.lock import HostLock
from pbxfleet.schema.outputs import document_of
from support.output_schemas import judge
from support.processes import wait_for
from support.running_site import RunningSite

Make = Callable[..., RunningSite]
LONG = "3600"


def waiting(running: Make) -> RunningSite:
    """One instance, and a second generation of it that waits for a word."""
    site = running("ash").up()
    site.change("ash", "backup = { recordings = true }", sys_name="Other")
    site.apply("--quiet", "--confirm", LONG)
    return site


def status(site: RunningSite) -> Any:
    """The open run as the status says it."""
    done = site.ok("status", "--json")
    judge(document_of("status"), done.data)
    return done.data["open_run"]


def record(site: RunningSite) -> Any:
    path = site.root / "var/lib/pbxfleet/records/pending"
    return json.loads(path.read_text(encoding="utf-8"))


def outcomes(site: RunningSite) -> list[str]:
    return [g["outcome"] for g in site.run("history", "--json").data["generations"]]


def test_the_status_shows_what_waits_and_what_to_run(running: Make) -> None:
    site = waiting(running)
    found = status(site)
    assert found["state"] == "waits" and found["until"] == record(site)["until"]
    assert 0 < found["left_s"] <= int(LONG) and found["instances"] == ["ash"]
    assert found["finished"] == found["planned"] > 0 and found["failures"] == []
    assert [way["command"] for way in found["ways"]] == [
        "pbxfleet confirm h1",
        "pbxfleet confirm h1 --extend 600",
        "pbxfleet confirm h1 --cancel",
    ]
    text = site.ok("status").out
    assert f"warning[PLN173]: a change on h1 waits to be confirmed until {found['until']}" in text
    assert f"  {found['ways'][0]['command']:<32}  keeps it\n" in text
    for command in ("plan", "drift", "history"):
        assert "PLN173" in site.run(command).err
    with HostLock(LocalHost(str(site.root), "direct")):
        assert status(site)["state"] == "under way"
    os.kill(record(site)["timer"][1], signal.SIGKILL)
    wait_for(lambda: status(site)["state"] == "unwatched", "the end of the timer")
    site.run("confirm")
    assert status(site) is None


def test_what_could_not_be_taken_back_is_shown_and_is_not_kept(running: Make) -> None:
    site = waiting(running)
    lists = site.root / "etc/pbx/backup-ash.exclude"
    held = lists.read_bytes()
    lists.unlink()
    lists.mkdir()
    (lists / "in the way").touch()
    assert site.run("confirm", "--cancel").code == 5
    found = status(site)
    assert found["state"] == "not undone" and "backup-ash.exclude" in found["failures"][0]
    assert "failed: " in site.ok("status").out
    assert "taken back in part" in site.run("confirm").err
    (lists / "in the way").unlink()
    lists.rmdir()
    lists.write_bytes(held)
    assert site.run("confirm", "--cancel").code == 6
    assert "<sys_name>Ash<" in site.pbx_xml("ash") and status(site) is None
    assert not (site.root / "var/lib/pbxfleet/journal").exists()


def test_a_rollback_waits_for_a_word_as_well(running: Make) -> None:
    site = running("ash").up()
    site.change("ash", sys_name="Other")
    site.apply("--quiet")
    assert site.run("rollback", "--auto-approve", "--confirm", LONG).code == 6
    assert "<sys_name>Ash<" in site.pbx_xml("ash")
    assert (status(site)["state"], status(site)["restores"]) == ("waits", 1)
    assert "rollback to generation 1" in site.ok("status").out
    assert site.run("confirm", "--cancel").code == 6
    assert "<sys_name>Other<" in site.pbx_xml("ash")
    assert outcomes(site) == ["reverted", "applied", "applied"]
    assert site.run("rollback", "--auto-approve", "--confirm", LONG).code == 6
    assert site.run("confirm").code == 0
    assert outcomes(site)[0] == "applied" and "<sys_name>Ash<" in site.pbx_xml("ash")
    site.ok("plan")
