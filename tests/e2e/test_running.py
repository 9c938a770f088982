"""Instances that run: started, proven, disturbed, repaired, upgraded and removed, by the command alone."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

from support.e2e import Facts, facts, nothing_changes
from support.running_site import HTTP, RunningSite
from support.standin import Bound, accepts, processes, wait_until

Make = Callable[..., RunningSite]


def runtime_items(site: RunningSite) -> set[tuple[str, str]]:
    """Drift of what runs: instance and name."""
    return {(i["instance"], i["name"]) for i in site.drift() if i["class"] == "runtime"}


class TestStart:
    def test_each_on_its_own_address_and_a_second_apply_touches_nothing(
        self, running: Make
    ) -> None:
        site = running("ash", "birch", "cedar")
        site.compile()
        with nothing_changes(site.root):
            assert site.plan()["summary"]["instances"] == ["ash", "birch", "cedar"]
        site.apply()
        site.proven()
        pids = site.pids()
        with nothing_changes(site.repo, site.root):
            for _ in range(2):
                assert site.apply().out == "h1: nothing to do\n"
                site.proven()
                site.ok("status")
        assert site.pids() == pids
        rows = {row["instance"]: row for row in site.ok("status", "--json").data["instances"]}
        for name, (pid,) in pids.items():
            assert rows[name]["pid"] == pid
            assert rows[name]["state"] == "running"
            assert rows[name]["proven_listeners"] == rows[name]["listeners"] == 5
        for name in site.addresses:
            assert site.status_of(name)["version"] == "70.5"

    def test_the_processes_have_nothing_of_ours(self, running: Make) -> None:
        site = running("ash").up()
        pid = site.pid("ash")
        assert os.getsid(pid) == pid
        assert os.readlink(f"/proc/{pid}/cwd") == str(site.directory("ash"))
        assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {
            "/dev/null",
            str(site.root / "var/log/pbx-ash.log"),
        }
        with open(f"/proc/{pid}/environ", "rb") as file:
            names = {entry.partition(b"=")[0] for entry in file.read().split(b"\0") if entry}
        assert names <= {b"PATH", b"LANG", b"LC_CTYPE"}


class TestRepair:
    def test_a_killed_process(self, running: Make) -> None:
        site = running().up()
        untouched = site.pid("birch")
        site.kill("ash")
        assert runtime_items(site) == {("ash", "running")}
        (item,) = site.drift()
        assert (item["applied"], item["observed"]) == ("running", "stopped")
        plan = site.plan()
        assert [step["do"] for step in plan["steps"]] == ["start", "prove"]
        assert plan["summary"]["restarts"] == []
        site.apply()
        site.proven()
        assert site.pid("birch") == untouched

    def test_settings_changed_on_the_web_page(self, running: Make) -> None:
        site = running().up()
        untouched = site.pid("birch")
        site.post("ash", {"sys_name": "By hand", "timezone": "Europe/Rome"})
        (item,) = site.drift()
        assert (item["class"], item["name"], item["applied"], item["observed"]) == (
            "changed", "sys_name", "Ash", "By hand",
        )  # fmt: skip
        assert site.plan()["summary"]["restarts"] == ["ash"]
        site.apply()
        site.proven()
        assert "<sys_name>Ash</sys_name>" in site.pbx_xml("ash")
        assert "<timezone>Europe/Rome</timezone>" in site.pbx_xml("ash")
        assert site.pid("birch") == untouched

    def test_a_setting_that_nobody_declared_is_nobodys_drift(self, running: Make) -> None:
        site = running("ash").up()
        pid = site.pid("ash")
        site.post("ash", {"timezone": "Europe/Rome"})
        site.proven()
        site.apply()
        assert site.pid("ash") == pid
        assert "<timezone>Europe/Rome</timezone>" in site.pbx_xml("ash")

    def test_started_by_hand_on_every_address(self, running: Make) -> None:
        site = running().up()
        site.kill("ash")
        path = site.directory("ash") / "pbx.xml"
        bind = f">{site.addresses['ash']}:{HTTP}<"
        path.write_text(site.pbx_xml("ash").replace(bind, f">{HTTP + 7}<"), encoding="utf-8")
        executable = str(site.directory("ash") / "pbxctrl")
        subprocess.run(
            (executable, "--dir", str(site.directory("ash"))),
            check=True, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        wildcard = Bound("tcp6", "::", HTTP + 7)
        assert wildcard in site.sockets("ash")
        assert runtime_items(site) == {
            ("ash", f"listener tcp {site.addresses['ash']}:{HTTP}"),
            ("ash", f"listener tcp [::]:{HTTP + 7}"),
        }
        site.apply()
        site.proven()
        assert wildcard not in site.sockets("ash")

    def test_a_declared_stop_is_not_needed_for_a_second_process(self, running: Make) -> None:
        """Two processes in one directory would overwrite each other's settings: drift, and one stays."""
        site = running("ash").up()
        executable = str(site.directory("ash") / "pbxctrl")
        options = ("--no-daemon", "--http-port", str(HTTP + 1), "--https-port", str(HTTP + 2))
        with subprocess.Popen(
            (executable, *options, "--dir", str(site.directory("ash"))),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as second:  # fmt: skip
            wait_until(lambda: len(site.pids()["ash"]) == 2 and accepts("127.0.0.1", HTTP + 1),
                       "the second process")  # fmt: skip
            assert ("ash", "processes") in runtime_items(site)
            site.apply()
            second.wait(60)
        site.proven()

    def test_an_executable_that_somebody_replaced(self, running: Make) -> None:
        site = running().up()
        untouched = site.pid("birch")
        executable = site.directory("ash") / "pbxctrl"
        executable.unlink()
        executable.write_bytes(site.releases["70.6"].pbxctrl.read_bytes())
        executable.chmod(0o755)
        names = {(i["class"], i["name"]) for i in site.drift() if i["instance"] == "ash"}
        assert ("changed", "content") in names
        site.apply()
        site.proven()
        assert site.status_of("ash")["version"] == "70.5"
        assert site.pid("birch") == untouched


class TestChange:
    def test_a_setting_restarts_its_instance_alone(self, running: Make) -> None:
        site = running().up()
        before = site.pids()
        site.change("ash", sys_name="Renamed")
        assert site.drift() == []
        plan = site.plan()
        assert plan["summary"]["restarts"] == ["ash"]
        site.apply()
        site.proven()
        after = site.pids()
        assert after["birch"] == before["birch"] and after["ash"] != before["ash"]

    def test_a_port_moves(self, running: Make) -> None:
        site = running("ash").up()
        site.change("ash", "listen = { http = 18180 }")
        assert site.drift() == []
        site.apply()
        assert site.sockets("ash") == site.expected("ash", http=18180)
        site.settles()

    def test_two_instances_swap_their_addresses(self, running: Make) -> None:
        site = running().up()
        site.addresses = dict(zip(site.addresses, reversed(site.addresses.values()), strict=True))
        for name in site.addresses:
            site.instance(name)
        site.compile()
        site.apply()
        site.proven()

    def test_one_is_upgraded_alone(self, running: Make) -> None:
        site = running().up()
        before = site.pids()
        birch = facts(site.directory("birch"))
        site.change("ash", 'release = "70.6"')
        assert site.drift() == []
        site.apply()
        site.proven()
        assert site.status_of("ash")["version"] == "70.6"
        assert site.status_of("birch")["version"] == "70.5"
        assert site.pids()["birch"] == before["birch"]
        assert facts(site.directory("birch")) == birch

    def test_one_is_removed_and_keeps_its_data(self, running: Make) -> None:
        site = running().up()
        before = site.pids()
        (site.directory("ash") / "recording.wav").write_bytes(b"RIFF")
        kept: dict[str, Facts] = facts(site.directory("ash"))
        (site.repo / "desired/instances/ash.toml").unlink()
        site.compile()
        assert site.plan()["summary"]["removed"] == ["ash"]
        site.apply()
        assert processes(site.directory("ash")) == []
        assert site.pids()["birch"] == before["birch"]
        after = facts(site.directory("ash"))
        assert {p: f.content for p, f in after.items()} == {p: f.content for p, f in kept.items()}
        del site.addresses["ash"]
        site.proven()

    def test_a_retired_instance_that_somebody_starts_again_is_said(self, running: Make) -> None:
        site = running().up()
        (site.repo / "desired/instances/ash.toml").unlink()
        site.compile()
        site.apply()
        executable = str(site.directory("ash") / "pbxctrl")
        subprocess.run(
            (executable, "--dir", str(site.directory("ash"))),
            check=True, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        (item,) = site.drift()
        assert (item["class"], item["instance"]) == ("runtime", "ash")
        assert "retired" in item["name"]
        site.apply()
        assert len(processes(site.directory("ash"))) == 1


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
        assert f"process holds tcp {site.addresses['ash']}:15060" in note["message"]
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
