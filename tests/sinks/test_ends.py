"""Who is told of a run after it: that somebody kept it, took it back, or went back behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.app.hearers import RECORD
from support.e2e import Done, Site, applied_site
from support.receivers import HookServer, hook

FLEET = "desired/fleet.toml"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A host with two generations; nobody is told but whom options name."""
    made = applied_site(tmp_path)
    made.as_process = False
    made.edit("desired/instances/alpha.toml", 'host = "h1"', 'host = "h1"\nbackup = {logs = true}')
    made.compile()
    return made


def last(server: HookServer) -> Any:
    """What was posted last."""
    return json.loads(server.posted[-1].body)


def rolled_back(site: Site, *words: str | Path) -> Done:
    done = site.run("rollback", "--auto-approve", *words)
    assert done.code == 6, done
    return done


def test_a_rollback_tells_and_moves_its_metrics(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "pbxfleet.prom"
    site.apply()
    with hook() as server:
        rolled_back(site, "--webhook", server.url, "--metrics", file)
    assert server.posted[0].headers["x-pbxfleet-event"] == "rollback.rolled_back"
    assert last(server)["summary"].startswith("rollback of h1: rolled back, to generation 1, by ")
    lines = file.read_text(encoding="utf-8")
    assert 'pbxfleet_last_exit_code{host="h1",command="rollback"} 6' in lines
    assert 'pbxfleet_last_success_timestamp_seconds{host="h1",command="rollback"}' in lines
    assert "pbxfleet_plan_differs" not in lines, "what the repository says was not looked at"


def test_a_rollback_tells_whom_the_last_apply_declared(site: Site) -> None:
    """And not whoever was to be told when the generation was made that it goes back to."""
    report = "/var/lib/node-exporter/{}.prom"
    for name in ("old", "new"):
        text = (site.repo / FLEET).read_text(encoding="utf-8").partition("\n[sinks]")[0]
        site.declare(FLEET, f'{text}\n[sinks]\nmetrics = "{report.format(name)}"\n')
        if name == "new":
            site.edit("desired/instances/alpha.toml", "logs = true", "recordings = true")
        site.compile()
        site.apply("--no-sinks")
    rolled_back(site)
    assert (site.root / report.format("new")[1:]).exists()
    assert not (site.root / report.format("old")[1:]).exists()


@pytest.mark.parametrize("silent", [False, True])
def test_the_end_of_a_change_is_told_to_whom_the_change_was(site: Site, silent: bool) -> None:
    with hook() as server:
        words = ("--no-sinks",) if silent else ("--webhook", server.url)
        site.apply("--confirm", "3600", *words)
        assert site.run("confirm", "--same-connection").code == 0
        if silent:
            assert not server.posted
            assert not (site.root / "var/lib/pbxfleet/records" / RECORD).exists()
            return
        assert last(server)["summary"].startswith("confirm of h1: done, by ")
        site.edit("desired/instances/alpha.toml", "logs = true", "recordings = true")
        site.compile()
        site.apply("--confirm", "3600", "--webhook", server.url)
        assert site.run("confirm", "--cancel").code == 6
        assert last(server)["summary"].startswith("undo of h1: rolled back, by ")
        assert any("undone" in line for line in last(server)["new"][0].splitlines())
        count = len(server.posted)
        assert site.run("confirm", "--cancel").code == 1, "nothing waits"
        assert len(server.posted) == count, "who typed it knows"


def test_a_timer_that_cannot_take_a_change_back_says_so(site: Site) -> None:
    with hook() as server:
        site.apply("--confirm", "3600", "--webhook", server.url)
        pending = site.root / "var/lib/pbxfleet/records/pending"
        data = json.loads(pending.read_text(encoding="utf-8"))
        pending.write_text(json.dumps({**data, "deadline_s": 0.0}), encoding="utf-8")
        journal = site.root / "var/lib/pbxfleet/journal"
        journal.write_text('{"event": "nonsense"}\n', encoding="utf-8")
        done = site.run("confirm", "--undo-after", data["token"])
        assert done.code == 1, done
        assert server.posted[-1].headers["x-pbxfleet-event"] == "undo.refused"
        assert "could not be done" in last(server)["summary"]


def test_a_damaged_record_of_whom_to_tell_stops_nothing(site: Site) -> None:
    with hook() as server:
        site.apply("--confirm", "3600", "--webhook", server.url)
        record = site.root / "var/lib/pbxfleet/records" / RECORD
        record.write_text("[1]", encoding="utf-8")
        assert site.run("confirm", "--cancel").code == 6
        assert len(server.posted) == 1
