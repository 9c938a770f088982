"""The installed command with stand-in PBXes that have calls: drained, abandoned, cut, and windows."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from support.caller import declare_again, on_calls, with_login
from support.running_site import RunningSite

Make = Callable[..., RunningSite]
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def window(days_ahead: int) -> str:
    """A window on another day than today, or all of today and its neighbours."""
    day = datetime.now(UTC) + timedelta(days=days_ahead)
    return f"{DAYS[day.weekday()]} 00:00-24:00"


def open_on(site: RunningSite, days_ahead: int) -> None:
    """From now on instances may be restarted on that day only."""
    path = site.repo / "desired/hosts/h1.toml"
    lines = [x for x in path.read_text(encoding="utf-8").splitlines() if "maintenance" not in x]
    near = [window(days_ahead + d) for d in ((-1, 0, 1) if days_ahead == 0 else (0,))]
    line = f"maintenance = {json.dumps(near)}"
    path.write_text("\n".join([line, *lines]) + "\n", encoding="utf-8")
    site.compile()


def test_what_has_calls_is_waited_for_and_stays_or_is_cut(running: Make) -> None:
    site = running("ash", "birch").up()
    with_login(site, "ash", "birch")
    declare_again(site, "ash", "birch")
    on_calls(site, "ash", 3)
    before = {name: site.pid(name) for name in ("ash", "birch")}
    xml = site.pbx_xml("ash")
    done = site.apply("--json", "--drain", "2", expect=7)
    assert done.data["outcome"] == "restart_owed" and done.data["failure"] == ""
    (left,) = done.data["abandoned"]
    assert left["instance"] == "ash" and left["calls"] == 3
    assert left["why"].startswith("3 calls on it after ")
    assert done.data["applied"] == ["birch"] and done.data["cut"] == []
    assert site.pid("ash") == before["ash"] and site.pid("birch") != before["birch"]
    assert site.pbx_xml("ash") == xml
    assert site.plan()["summary"]["restarts"] == ["ash"]

    # The next night: the calls end while the run waits.
    caller = threading.Timer(5, on_calls, (site, "ash", 0))
    caller.start()
    done = site.apply("--json", "--drain", "120")
    caller.join()
    assert done.data["applied"] == ["ash"] and done.data["cut"] == []
    assert "ash: 3 calls on it, waiting for at most" in done.err
    site.settles()

    on_calls(site, "ash", 2)
    site.edit("desired/fleet.toml", "[policy]\n", '[policy]\non_deadline = "force"\n')
    site.edit("desired/instances/ash.toml", "x.log", "y.log")
    site.compile()
    assert "ash: 2 calls cut" in site.apply("--drain", "1").out
    site.settles()
    wrong = site.run("apply", "--auto-approve", "--on-deadline", "force")
    assert wrong.code == 64 and "--drain" in wrong.err


def test_nothing_is_restarted_outside_of_its_window_and_no_restart_is_forgotten(
    running: Make,
) -> None:
    site = running("ash").up()
    before = site.pid("ash")
    site.instance("ash", log_filename="x.log")
    open_on(site, 3)
    plan = site.plan()
    assert [w["instance"] for w in plan["waits"]] == ["ash"] and plan["steps"] == []
    assert plan["outcome"] == "differences"
    said = site.ok("plan").out
    assert "ash waits for its window: next " in said
    assert "1 waits for its maintenance window (ash)" in said
    assert site.apply("--json", expect=7).data["waits"] == ["ash"]
    assert site.pid("ash") == before
    site.apply("--quiet", "--outside-window", "a hole in TLS")
    assert site.pid("ash") != before
    kept = [
        p.read_text("utf-8", "replace")
        for p in site.root.rglob("var/lib/pbxfleet/**/*")
        if p.is_file()
    ]
    assert any("a hole in TLS" in text for text in kept)
    (made, _) = site.ok("history", "--json").data["generations"]
    assert made["outside_window"] == "a hole in TLS"
    shown, first = site.ok("history").out.splitlines()[:2]
    assert shown.endswith("; outside of its window: a hole in TLS") and "outside" not in first
    site.settles()

    # Somebody copies both files of a release into place, and does not restart.
    open_on(site, 0)
    site.change("ash", 'release = "70.6"', log_filename="x.log")
    for name in ("pbxctrl", "pbxctrl.dat"):
        place = site.directory("ash") / name
        shutil.copy2(next((site.repo / "artefacts/70.6").rglob(name)), place.with_suffix(".new"))
        place.with_suffix(".new").chmod(place.stat().st_mode & 0o777)
        place.with_suffix(".new").rename(place)
    status = json.loads(site.ok("status", "--json").out)
    assert status["instances"][0]["owed"] == ["release"]
    assert {d["resource"].rpartition("/")[2] for d in status["debts"]} == {"pbxctrl", "pbxctrl.dat"}
    assert "restart owed since 2" in site.ok("plan").out
    site.apply("--quiet")
    assert json.loads(site.ok("status", "--json").out)["debts"] == []
    site.settles()


def test_a_directory_that_is_kept_is_no_difference_that_a_second_look_finds(running: Make) -> None:
    site = running().up()
    open_on(site, 3)
    (site.repo / "desired/instances/birch.toml").unlink()
    site.instance("ash", "backup = { recordings = true }")
    site.compile()
    done = site.apply(expect=7)
    assert "birch waits for its window" in done.err and "second look" not in done.err
    assert site.pids()["birch"]
    assert site.apply("--json", expect=7).data["remaining"] == []


def test_a_window_that_is_closed_hides_no_drift_and_nothing_that_is_pending(running: Make) -> None:
    site = running("ash").up()
    open_on(site, 3)
    site.apply("--quiet")
    xml = site.directory("ash") / "pbx.xml"
    xml.write_text(site.pbx_xml("ash").replace(">Ash<", ">Ash Ltd<"), encoding="utf-8")
    assert [w["instance"] for w in site.plan()["waits"]] == ["ash"]

    # With somebody to tell, and with nobody.
    for words in ((), ("--metrics", site.repo.parent / "drift.prom")):
        done = site.run("drift", *words)
        assert done.code == 2 and "Ash -> Ash Ltd" in done.out, words
    told = (site.repo.parent / "drift.prom").read_text(encoding="utf-8")
    assert 'instance="ash",class="changed"} 1\n' in told
    assert '+sys_name = "Ash Ltd"\n' in site.run("drift", "--adopt").out
    (row,) = json.loads(site.ok("status", "--json").out)["instances"]
    assert row["differs"] == 2, "pbx.xml, and the restart for it"
