"""A host that is as it was applied stays silent, however busy the PBX is with its own file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.e2e import Done
from support.running_site import RunningSite
from support.standin import wait_until

Make = Callable[..., RunningSite]
RUNS = 34  # of each habit
SILENCE = Done(0, "", "")
HABITS = {
    "counters and comments": {"add": "hits={n} last_call={n}", "comments": "drop"},
    "order and spelling": {"reorder": True, "spell": "truth zeros spaces"},
    "whatever nobody declared": {"drop": "log_length", "twice": "timezone", "add": "hits={n}"},
}


@pytest.mark.parametrize("habit", HABITS)
def test_hundreds_of_runs_print_nothing(running: Make, habit: str) -> None:
    site = running("ash")
    site.behave("ash", rewrite="always", interval=0.05, **HABITS[habit])
    site.up()
    site.as_process = False
    pid, writings = site.pid("ash"), set()
    for number in range(RUNS):
        words = (("--only-new",), (), ("--after", "2"))[number % 3]
        assert site.run("drift", *words) == SILENCE, f"run {number}"
        writings.add((site.directory("ash") / "pbx.xml").stat().st_mtime_ns)
    assert len(writings) > 3, "it was written all the time"
    assert site.pid("ash") == pid
    assert not (site.root / "var/lib/pbxfleet/records/drift").exists(), "nothing to remember"


def test_a_restart_by_the_service_is_no_news_and_a_stop_is_told_once(running: Make) -> None:
    site = running("ash").up()
    site.as_process = False
    for _ in range(3):
        site.kill("ash")
        assert site.run("drift", "--only-new").code == 2
        assert site.run("drift", "--only-new") == SILENCE
        assert site.run("apply", "--auto-approve", "--quiet").code == 0
        wait_until(lambda: site.run("drift", "--only-new") == SILENCE, "silence")
    (item,) = _after_a_stop(site)
    assert item["flaps"] == 3


def _after_a_stop(site: RunningSite) -> list[dict[str, object]]:
    site.kill("ash")
    return site.drift()
