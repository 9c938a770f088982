"""Instances that will not run as declared: taken ports, missing files, a PBX with its own habits."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator

import pytest

from support.e2e import nothing_changes
from support.running_site import RunningSite
from support.standin import wait_until

Make = Callable[..., RunningSite]


@pytest.fixture
def holder() -> Iterator[Callable[[str, int], socket.socket]]:
    """Holds TCP ports, as another program would."""
    held: list[socket.socket] = []

    def hold(address: str, port: int) -> socket.socket:
        taken = socket.socket()
        taken.bind((address, port))
        taken.listen()
        held.append(taken)
        return taken

    yield hold
    for taken in held:
        taken.close()


Hold = Callable[[str, int], socket.socket]


class TestRefused:
    """What cannot end well is not begun: nothing is stopped, nothing is written."""

    def test_another_program_holds_a_port(self, running: Make, holder: Hold) -> None:
        site = running()
        site.compile()
        holder(site.addresses["ash"], 15060)
        (note,) = [n for n in site.plan()["notes"] if n["severity"] == "error"]
        assert note["code"] == "PLN121" and note["instance"] == "ash"
        assert f" holds tcp {site.addresses['ash']}:15060" in note["message"]
        assert note["message"].startswith("process ")
        done = site.apply(expect=1)
        assert "error[PLN121]" in done.err
        assert site.pids() == {"ash": [], "birch": []}
        assert not (site.root / "usr").exists()

    def test_another_program_holds_the_port_that_a_running_instance_shall_have(
        self, running: Make, holder: Hold
    ) -> None:
        site = running().up()
        before = site.pids()
        holder(site.addresses["ash"], 18180)
        site.change("ash", "listen = { http = 18180 }")
        with nothing_changes(site.directory("ash"), site.directory("birch")):
            done = site.apply(expect=1)
        assert "error[PLN121]" in done.err
        assert site.pids() == before

    @pytest.mark.parametrize("how", ["missing", "another"])
    def test_a_release_file_that_is_not_the_pinned_one(self, running: Make, how: str) -> None:
        site = running().up()
        before = site.pids()
        dat = site.releases["70.6"].dat
        if how == "missing":
            dat.unlink()
        else:
            dat.write_bytes(b"another\n")
        site.change("ash", 'release = "70.6"')
        with nothing_changes(site.directory("ash"), site.directory("birch")):
            done = site.apply(expect=1)
        assert "error[PLN106]" in done.err
        assert site.pids() == before
        site.change("ash")
        site.proven()

    def test_the_lock_is_held(self, running: Make) -> None:
        site = running("ash").up()
        site.change("ash", sys_name="Renamed")
        site.behave("ash", ignore_term=3)
        with site.applying("--quiet") as first:
            wait_until(lambda: site.steps_begun() >= 1, "the first apply")
            done = site.apply(expect=4)
            assert f"process {first.pid} holds the lock of this host" in done.err
            refused = site.run("apply", "--auto-approve", "--json")
            assert (refused.code, refused.data["outcome"]) == (4, "lock_held")
            waited = site.apply("--lock-timeout", "60")
            assert waited.out == "h1: nothing to do\n"
            first.communicate(timeout=60)
            assert first.returncode == 0
        site.settles()


class TestOddPbx:
    """A PBX that does not do as it is told, or does more."""

    @pytest.mark.parametrize("when", ["start", "exit", "always"])
    def test_it_rewrites_its_file(self, running: Make, when: str) -> None:
        site = running("ash").up()
        site.behave("ash", rewrite=when, reorder=True, add="pbx_counter={n}", comments="drop")
        for name in ("First", "Second"):
            site.change("ash", sys_name=name)
            site.apply()
            site.proven()
            assert f"<sys_name>{name}</sys_name>" in site.pbx_xml("ash")
        site.kill("ash")
        site.apply()
        site.proven()
        assert "pbx_counter" in site.pbx_xml("ash")

    def test_it_comes_up_late(self, running: Make) -> None:
        site = running("ash")
        site.behave("ash", delay_start=2)
        site.up().proven()

    def test_it_never_comes_up(self, running: Make) -> None:
        site = running("ash", start_timeout=2).up()
        pid = site.pid("ash")
        site.behave("ash", delay_start=30)
        site.change("ash", sys_name="Renamed")
        done = site.apply(expect=5)
        assert "does not hold" in done.err
        assert site.pids()["ash"] != [pid]
        site.behave("ash")
        site.kill("ash")
        site.apply()
        site.proven()

    def test_it_does_not_stop(self, running: Make) -> None:
        site = running("ash", "birch", stop_timeout=1).up()
        before = site.pids()
        site.behave("ash", ignore_term=600)
        text = site.pbx_xml("ash")
        site.change("ash", sys_name="Renamed")
        done = site.run("apply", "--auto-approve")
        assert done.code in (5, 6), done
        assert "ash did not stop within 1 s" in done.err
        assert site.pids() == before
        assert site.pbx_xml("ash") == text
        site.kill("ash")
        site.behave("ash")
        site.apply()
        site.proven()

    def test_it_does_not_accept_a_setting(self, running: Make) -> None:
        site = running("ash").up()
        site.behave("ash", rewrite="start", drop="sys_name=Stubborn")
        site.change("ash", sys_name="Wanted")
        done = site.apply(expect=5)
        assert "sys_name" in done.err and "Stubborn" in done.err
        pid = site.pid("ash")
        plan = site.ok("plan")
        assert "warning[PLN120]" in plan.out and "sys_name" in plan.out
        again = site.apply().out
        assert "warning[PLN120]" in again and again.endswith("h1: nothing to do\n")
        assert site.plan()["steps"] == []
        site.run("apply", "--auto-approve")
        assert site.pid("ash") == pid
        # Declared as it really is, it is settled without another restart.
        site.change("ash", sys_name="Stubborn")
        site.apply()
        assert site.pid("ash") == pid
        site.proven()

    @pytest.mark.parametrize("code", [0, 1])
    def test_it_ends_at_once(self, running: Make, code: int) -> None:
        site = running().up()
        before = site.pids()
        site.change("ash")
        text = site.pbx_xml("ash")
        broken = site.add_release("70.7")
        script = broken.pbxctrl.read_text(encoding="utf-8").split("\n")
        script[1:] = [f"print('no licence')\nraise SystemExit({code})\n"]
        broken.pbxctrl.write_text("\n".join(script), encoding="utf-8")
        fleet = site.repo / "desired/fleet.toml"
        new = hashlib.sha256(broken.pbxctrl.read_bytes()).hexdigest()
        fleet.write_text(
            fleet.read_text(encoding="utf-8").replace(broken.sha256s["pbxctrl"], new),
            encoding="utf-8",
        )
        site.change("ash", 'release = "70.7"', sys_name="Renamed")
        done = site.apply(expect=6)
        assert "no licence" in done.err
        assert "put back as it was: ash" in done.err
        # The old executable runs on the old settings, and nobody else noticed.
        assert site.status_of("ash")["version"] == "70.5"
        assert site.pbx_xml("ash") == text
        assert site.sockets("ash") == site.expected("ash")
        assert site.pids()["birch"] == before["birch"]
        assert not (site.root / "var/lib/pbxfleet/journal").exists()
        site.change("ash")
        site.proven()
