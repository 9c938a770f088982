"""Who made a difference, told from what a real host knows: processes, files, journals, the PBX itself."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from support import beds
from support.running_site import HTTP, LOGIN, RunningSite
from support.standin import accepts, http_post, wait_until

Make = Callable[..., RunningSite]


API = 'api = { user = "%s", password_file = "/etc/pbx/api-ash" }'


def with_login(make: Make, user: str) -> RunningSite:
    """A site whose instance can be asked with the login of that user."""
    site = make("ash")
    site.instance("ash", API % user)
    word = site.root / "etc/pbx/api-ash"
    word.parent.mkdir(parents=True)
    word.write_text(LOGIN.partition(":")[2], encoding="utf-8")
    word.chmod(0o600)
    return site.up()


def one(site: RunningSite, name: str) -> Any:
    (item,) = [item for item in site.drift() if item["name"] == name]
    return item


def test_the_web_administration_and_nobody_where_the_log_is_silent(running: Make) -> None:
    site = with_login(running, "admin")
    site.post("ash", {"sys_name": "Renamed"})
    item = one(site, "sys_name")
    assert (item["who"], item["observed"]) == ("unknown", "Renamed")
    entry = {"time": time.time(), "admin": "jane", "ip": "198.51.100.7", "text": "sys_name=Renamed"}
    body = json.dumps({"changes": [entry]})
    assert http_post(site.addresses["ash"], HTTP, "/standin/changes", body, LOGIN).status == 200
    item = one(site, "sys_name")
    assert item["who"] == "web administration"
    said = "the changes log of the PBX names sys_name by jane from 198.51.100.7 at "
    assert item["evidence"].startswith(said)
    shown = site.run("drift").out
    assert "by web administration" in shown and said in shown


def test_the_pbx_keeps_its_own_value(running: Make) -> None:
    site = running("ash")
    site.behave("ash", rewrite="start", drop="log_duration=3600")
    site.compile()
    site.apply("--quiet", expect=5)
    item = one(site, "log_duration")
    assert (item["who"], item["observed"], item["applied"]) == ("pbx", "3600", "86400")


def test_the_pbx_updated_itself(running: Make) -> None:
    site = with_login(running, "admin")
    for name in ("pbxctrl", "pbxctrl.dat"):
        (site.directory("ash") / name).write_bytes(
            (site.repo / "artefacts/70.6" / name).read_bytes()
        )
    assert one(site, "release")["who"] == "unknown"
    assert http_post(site.addresses["ash"], HTTP, "/standin/update", "", LOGIN).status == 200
    assert one(site, "release")["who"] == "pbx"


def test_a_person_at_a_terminal(running: Make) -> None:
    site = running("ash").up()
    executable = str(site.directory("ash") / "pbxctrl")
    http = 10_000 + os.getpid() % 20_000
    options = ("--no-daemon", "--http-port", str(http), "--https-port", str(http + 1))
    ours, theirs = pty.openpty()
    argv = ("setsid", "--ctty", executable, *options, "--dir", str(site.directory("ash")))
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs) as second:
        try:
            wait_until(lambda: accepts("127.0.0.1", http), "the second process")
            item = one(site, "processes")
            assert item["who"] == "person"
            assert item["evidence"].startswith(f"process {second.pid} ")
        finally:
            second.terminate()
            second.wait(60)
            os.close(ours)
            os.close(theirs)


def test_a_file_of_a_login_account(running: Make) -> None:
    beds.require_root("a file of a login account")
    site = running("ash").up()
    (site.root / "etc/pbx/backup-ash.list").write_text("/home\n", encoding="utf-8")
    item = one(site, "content")
    assert item["who"] == "unknown"
    assert "belongs to root (0)" in item["evidence"]
    os.chown(site.root / "etc/pbx/backup-ash.list", 1000, 1000)
    assert {item["who"] for item in site.drift()} == {"person"}


@pytest.mark.parametrize("waits", [1, 2])
def test_a_run_that_was_cut_off(running: Make, waits: int) -> None:
    site = running("ash").up()
    site.change("ash", sys_name="Renamed")
    with site.applying("--quiet") as process:
        wait_until(lambda: site.steps_begun() > waits or process.poll() is not None, "a step")
        process.kill()
        process.wait(60)
    if not (site.root / "var/lib/pbxfleet/journal").exists():
        return  # it was faster than the signal
    items = site.drift()
    assert {item["who"] for item in items} <= {"half-applied run"}
