"""Instances that run: started, proven, disturbed, repaired, upgraded and removed, by the command alone."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

from support.e2e import Facts, facts, nothing_changes
from support.running_site import HTTP, RunningSite
from support.standin import Bound, accepts, processes, wait_until

Make = Callable[..., RunningSite]


def free_port() -> int:
    """A port that nobody holds on any address."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::", 0))
        return int(probe.getsockname()[1])


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
        bind, port = f">{site.addresses['ash']}:{HTTP}<", free_port()
        path.write_text(site.pbx_xml("ash").replace(bind, f">{port}<"), encoding="utf-8")
        executable = str(site.directory("ash") / "pbxctrl")
        subprocess.run(
            (executable, "--dir", str(site.directory("ash"))),
            check=True, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        wildcard = Bound("tcp6", "::", port)
        assert wildcard in site.sockets("ash")
        assert runtime_items(site) == {
            ("ash", f"listener tcp {site.addresses['ash']}:{HTTP}"),
            ("ash", f"listener tcp [::]:{port}"),
        }
        site.apply()
        site.proven()
        assert wildcard not in site.sockets("ash")

    def test_a_second_process_in_the_same_directory(self, running: Make) -> None:
        """Two processes in one directory would overwrite each other's settings: drift, and one stays."""
        site = running("ash").up()
        executable = str(site.directory("ash") / "pbxctrl")
        http, https = free_port(), free_port()
        options = ("--no-daemon", "--http-port", str(http), "--https-port", str(https))
        with subprocess.Popen(
            (executable, *options, "--dir", str(site.directory("ash"))),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as second:  # fmt: skip
            wait_until(lambda: len(site.pids()["ash"]) == 2 and accepts("127.0.0.1", http),
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

    def test_a_new_name_takes_the_directory_over(self, running: Make) -> None:
        """The old instance is stopped before the new one is started on the same data."""
        site = running("ash")
        site.instance("ash", 'directory = "/usr/local/pbx"')
        site.up()
        (before,) = processes(site.root / "usr/local/pbx")
        instances = site.repo / "desired/instances"
        (instances / "ash.toml").rename(instances / "omega.toml")
        site.compile()
        assert site.plan()["summary"]["removed"] == ["ash"]
        site.apply()
        (after,) = processes(site.root / "usr/local/pbx")
        assert after != before
        assert not accepts("127.0.0.1", HTTP)
        site.settles()
        (row,) = site.ok("status", "--json").data["instances"]
        assert (row["instance"], row["pid"]) == ("omega", after)

    def test_a_core(self, running: Make) -> None:
        site = running("ash").up()
        usable = os.sched_getaffinity(0)
        cores = f'cpus = "0-{max(usable)}"\nrtp ='
        site.edit("desired/hosts/h1.toml", "rtp =", cores)
        site.change("ash", f"cpu = {min(usable)}")
        site.apply()
        site.proven()
        assert os.sched_getaffinity(site.pid("ash")) == {min(usable)}
        if len(usable) > 1:
            os.sched_setaffinity(site.pid("ash"), usable)
            assert runtime_items(site) == {("ash", "cpu")}
            site.apply()
            site.proven()
            assert os.sched_getaffinity(site.pid("ash")) == {min(usable)}

    def test_a_second_address_of_the_other_family(self, running: Make) -> None:
        site = running("ash").up()
        ports = {
            "http": 28980,
            "https": 28943,
            "sip_udp": 18960,
            "sip_tcp": 18960,
            "sip_tls": 18961,
        }
        listen = ", ".join(f"{role} = {port}" for role, port in ports.items())
        site.edit("desired/hosts/h1.toml", "addresses = [", 'addresses = ["::1", ')
        site.change("ash", f"listen = {{ {listen} }}")
        path = site.repo / "desired/instances/ash.toml"
        text = path.read_text(encoding="utf-8")
        address = site.addresses["ash"]
        path.write_text(text.replace(f'"{address}"', f'["{address}", "::1"]'), encoding="utf-8")
        site.compile()
        site.apply()
        site.settles()
        six = {Bound(f"{b.protocol}6", "::1", b.port) for b in site.expected("ash", **ports)}
        assert site.sockets("ash") == site.expected("ash", **ports) | six

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
