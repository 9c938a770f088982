"""Service managers: asked with recorded answers, or commanded for real where that harms nobody."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.files import Files
from pbxfleet.host.local import LocalHost
from pbxfleet.host.owners import Owners
from pbxfleet.host.proc import Processes
from pbxfleet.host.rooted import Root
from pbxfleet.host.services import Parts, backend
from pbxfleet.host.services.systemd import Systemd, parse_show, service_seen
from pbxfleet.host.services.sysv import Sysv, is_start_link
from pbxfleet.model.observed import ServiceSeen
from support.instances import PYTHON, install, instance, script

A, B = instance("a"), instance("b")
SAMPLES = Path(__file__).parent / "samples"


class Replay(Runner):
    """Answers from a table instead of a machine; remembers what was asked."""

    def __init__(self, answer: Callable[[tuple[str, ...]], tuple[int, str]]) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._answer = answer

    def run(self, argv: tuple[str, ...], timeout_s: float = 60) -> Ran:
        self.asked.append(argv)
        returncode, text = self._answer(argv)
        return Ran(argv, returncode, text, "" if returncode == 0 else "Failed: recorded")


def parts(root: Path, runner: Runner, *, live: bool = True) -> Parts:
    files = Files(Root(str(root)), Owners(matter=False))
    return Parts(files, runner, Processes(files.root), live, True)


class TestSystemd:
    """Answers of systemd 252, recorded in a booted container."""

    def test_show_is_read_unit_by_unit(self) -> None:
        answers = parse_show((SAMPLES / "systemctl-show").read_text())
        assert [service_seen(fields) for fields in answers] == [
            ServiceSeen(True, True, True, 67),
            ServiceSeen(True, False, False, None),
            ServiceSeen(True, True, False, None),  # failed
            ServiceSeen(True, True, False, None),  # waits for its next restart
            ServiceSeen(False, False, False, None),  # not there
            ServiceSeen(True, False, True, None),  # generated from an init script
            ServiceSeen(True, False, False, None),  # enabled until the next reboot only
        ]

    def test_a_unit_without_an_answer_is_an_error(self, tmp_path: Path) -> None:
        manager = Systemd(parts(tmp_path, Replay(lambda argv: (0, self.state("active")))))
        with pytest.raises(HostError, match="no answer"):
            manager.seen((A, B))

    def test_many_are_asked_at_once(self, tmp_path: Path) -> None:
        def answer(argv: tuple[str, ...]) -> tuple[int, str]:
            units = argv[argv.index("--") + 1 :]
            return 0, "\n\n".join(
                f"Id={u}\nLoadState=loaded\nActiveState=active\nMainPID=5\nUnitFileState=enabled"
                for u in units
            )

        runner = Replay(answer)
        many = [instance(f"i{n}") for n in range(450)]
        seen = Systemd(parts(tmp_path, runner)).seen(many)
        assert len(runner.asked) == 3
        assert set(seen.values()) == {ServiceSeen(True, True, True, 5)}
        assert set(seen) == {one.name for one in many}

    def state(self, active: str, unit_file: str = "enabled") -> str:
        return (
            f"Id=pbx-a.service\nLoadState=loaded\nActiveState={active}\nMainPID=0\n"
            f"UnitFileState={unit_file}\n"
        )

    @pytest.mark.parametrize(
        ("active", "verbs"),
        [
            ("inactive", ["start"]),
            ("failed", ["reset-failed", "start"]),
            ("activating", ["start"]),
        ],
    )
    def test_starting(self, tmp_path: Path, active: str, verbs: list[str]) -> None:
        runner = Replay(lambda argv: (0, self.state(active)))
        Systemd(parts(tmp_path, runner)).start(A)
        acted = [argv for argv in runner.asked if argv[1] != "show"]
        assert acted == [("systemctl", verb, "--", "pbx-a.service") for verb in verbs]

    @pytest.mark.parametrize(
        ("active", "told"),
        [("active", True), ("activating", True), ("inactive", False), ("failed", False)],
    )
    def test_stopping(self, tmp_path: Path, active: str, told: bool) -> None:
        runner = Replay(lambda argv: (0, self.state(active)))
        Systemd(parts(tmp_path, runner)).stop(A, 5)
        stop = ("systemctl", "stop", "--", "pbx-a.service")
        assert (stop in runner.asked) is told

    def test_a_command_that_fails_is_an_error(self, tmp_path: Path) -> None:
        runner = Replay(lambda argv: (int(argv[1] == "start"), self.state("inactive")))
        with pytest.raises(HostError, match=r"systemctl start -- pbx-a\.service") as refusal:
            Systemd(parts(tmp_path, runner)).start(A)
        assert refusal.value.code == "HST105"

    def test_the_state_decides_whether_something_is_enabled(self, tmp_path: Path) -> None:
        lying = Systemd(parts(tmp_path, Replay(lambda argv: (0, self.state("active", "masked")))))
        with pytest.raises(HostError, match="changed nothing"):
            lying.enable(A)
        lying.disable(A)
        lying = Systemd(parts(tmp_path, Replay(lambda argv: (0, self.state("active")))))
        lying.enable(A)
        with pytest.raises(HostError, match="changed nothing"):
            lying.disable(A)

    def test_what_is_not_there_need_not_be_disabled(self, tmp_path: Path) -> None:
        gone = "Id=pbx-a.service\nLoadState=not-found\nActiveState=inactive\n"
        runner = Replay(lambda argv: (0, gone))
        Systemd(parts(tmp_path, runner)).disable(A)
        assert [argv[1] for argv in runner.asked] == ["show"]

    def test_below_a_root_enabling_is_a_link(self, tmp_path: Path) -> None:
        host = LocalHost(str(tmp_path), "systemd")
        assert not host.runs_services
        assert host.service(A) == ServiceSeen(False, False, False, None)
        units = HostPath("/etc/systemd/system")
        host.make_directory(units, 0o755, "")
        host.write(HostPath(f"{units}/pbx-a.service"), b"[Unit]\n", 0o644, "")
        host.enable(A)
        link = tmp_path / "etc/systemd/system/multi-user.target.wants/pbx-a.service"
        assert os.readlink(link) == "/etc/systemd/system/pbx-a.service"
        before = link.lstat()
        host.enable(A)
        assert link.lstat() == before
        assert host.service_states((A, B)) == {
            "a": ServiceSeen(True, True, False, None),
            "b": ServiceSeen(False, False, False, None),
        }
        host.disable(A)
        host.disable(A)
        assert host.service(A) == ServiceSeen(True, False, False, None)
        link.write_bytes(b"somebody's")
        with pytest.raises(HostError, match="is not a link"):
            host.enable(A)
        assert link.read_bytes() == b"somebody's"
        link.unlink()
        host.reload_services()
        install(host, A, script())
        with pytest.raises(HostError) as refusal:
            host.start(A)
        assert refusal.value.code == "HST109"
        host.stop(A, 1)


# What a generated script does, in the least number of words: it starts in the background, leaves
# its output open, and signals the process of its PID file.
INIT_SCRIPT = """#!/bin/sh
case $1 in
start) {python} -c '
import os, sys
if os.fork() == 0:
    os.setsid()
    pid = os.fork()
    if pid:
        open("{pid_file}", "w").write(str(pid))
        os._exit(0)
    os.execv("{program}", ["{program}"])
os.wait()' ;;
stop) kill "$(cat {pid_file})"; rm -f {pid_file}; exit {stop_code} ;;
fail) exit 1 ;;
esac
"""


class TestSysv:
    """Init scripts below a root, run for real."""

    def manager(self, root: Path) -> Sysv:
        return Sysv(parts(root, Runner()))

    def install(self, root: Path, *, stop_code: int = 0) -> LocalHost:
        host = LocalHost(str(root), "direct")
        install(host, A, script())
        for folder in ("/etc/init.d", "/run"):
            host.make_directory(HostPath(folder), 0o755, "")
        text = INIT_SCRIPT.format(
            python=PYTHON,
            pid_file=host.root.prefix + A.pid_file,
            program=host.root.prefix + A.executable,
            stop_code=stop_code,
        )
        host.write(HostPath("/etc/init.d/pbx-a"), text.encode(), 0o755, "")
        return host

    @pytest.mark.parametrize("stop_code", [0, 1])
    def test_scripts_start_and_stop_instances(self, tmp_path: Path, stop_code: int) -> None:
        host = self.install(tmp_path, stop_code=stop_code)
        manager = self.manager(tmp_path)
        assert manager.seen((A,))["a"] == ServiceSeen(True, False, False, None)
        manager.start(A)
        try:
            (tree,) = host.runtime((A,))["a"].trees
            assert manager.seen((A,))["a"] == ServiceSeen(True, False, True, tree.pids[0])
            manager.stop(A, 10)
        finally:
            host.stop(A, 10)
        assert manager.seen((A,))["a"] == ServiceSeen(True, False, False, None)

    def test_a_stale_pid_file_does_not_lead_to_a_strangers_end(self, tmp_path: Path) -> None:
        host = self.install(tmp_path)
        handled: list[int] = []
        before = signal.signal(signal.SIGTERM, lambda number, frame: handled.append(number))
        try:
            host.write(A.pid_file, str(os.getpid()).encode(), 0o644, "")
            self.manager(tmp_path).stop(A, 5)
        finally:
            signal.signal(signal.SIGTERM, before)
        assert handled == []
        assert host.read(A.pid_file) == str(os.getpid()).encode()

    def test_a_script_that_fails(self, tmp_path: Path) -> None:
        self.install(tmp_path)
        os.rename(tmp_path / "etc/init.d/pbx-a", tmp_path / "etc/init.d/pbx-x")
        with pytest.raises(HostError):
            self.manager(tmp_path).start(A)

    @pytest.mark.parametrize("folder", ["/etc", "/etc/rc.d"])
    def test_below_a_root_enabling_is_links(self, tmp_path: Path, folder: str) -> None:
        host = LocalHost(str(tmp_path), "sysv")
        assert not host.runs_services
        host.make_directory(HostPath(f"{folder}/init.d"), 0o755, "")
        for level in range(7):
            host.make_directory(HostPath(f"{folder}/rc{level}.d"), 0o755, "")
        host.write(HostPath(f"{folder}/init.d/pbx-a"), b"#!/bin/sh\n", 0o755, "")
        if folder != "/etc":
            (tmp_path / "etc" / "init.d").symlink_to("rc.d/init.d")
        host.make_link(HostPath(f"{folder}/rc3.d/S99pbx-ab"), "../init.d/pbx-ab")
        host.enable(A)
        host.enable(A)
        place = tmp_path / folder.lstrip("/")
        links = sorted(str(p.relative_to(place)) for p in place.glob("rc?.d/*pbx-a"))
        assert links == [
            *(f"rc{level}.d/K80pbx-a" for level in (0, 1)),
            *(f"rc{level}.d/S20pbx-a" for level in (2, 3, 4, 5)),
            "rc6.d/K80pbx-a",
        ]
        assert all((place / link).resolve().name == "pbx-a" for link in links)
        # Which runlevel the machine boots into is not known: each of them counts.
        (place / "rc2.d/S20pbx-a").unlink()
        (place / "rc3.d/S20pbx-a").rename(place / "rc3.d/S50pbx-a")
        assert not host.service(A).enabled
        host.enable(A)
        assert {p.name for p in place.glob("rc3.d/*pbx-a")} == {"S50pbx-a"}
        assert host.service(A) == ServiceSeen(True, True, False, None)
        assert host.service(B) == ServiceSeen(False, False, False, None)
        host.disable(A)
        assert host.service(A) == ServiceSeen(True, False, False, None)
        assert sorted(p.name for p in place.glob("rc?.d/*")) == ["S99pbx-ab"]
        install(host, A, script())
        with pytest.raises(HostError) as refusal:
            host.start(A)
        assert refusal.value.code == "HST109"

    def test_a_keeper_of_links_that_does_nothing_is_found_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runner = Replay(lambda argv: (0, ""))
        manager = Sysv(parts(tmp_path, runner))
        monkeypatch.setattr(Sysv, "_keeper", lambda self: 0)
        with pytest.raises(HostError, match="no runlevel starts it"):
            manager.enable(A)
        manager.disable(A)
        monkeypatch.setattr(Sysv, "_keeper", lambda self: 1)
        with pytest.raises(HostError):
            manager.enable(A)
        assert runner.asked == [
            ("update-rc.d", "pbx-a", "defaults"),
            ("update-rc.d", "-f", "pbx-a", "remove"),
            ("chkconfig", "--add", "pbx-a"),
            ("chkconfig", "pbx-a", "on"),
        ]
        links = tmp_path / "etc" / "rc3.d"
        links.mkdir(parents=True)
        (links / "S20pbx-a").symlink_to("../init.d/pbx-a")
        with pytest.raises(HostError, match="still starts it"):
            manager.disable(A)

    @pytest.mark.parametrize(
        ("name", "starts"),
        [
            ("S20pbx-a", True),
            ("S01pbx-a", True),
            ("K20pbx-a", False),
            ("S20pbx-ab", False),
            ("S2pbx-a", False),
            ("Spbx-a", False),
            ("pbx-a", False),
        ],
    )
    def test_names_of_links(self, name: str, starts: bool) -> None:
        assert is_start_link(name, "pbx-a") is starts


@pytest.mark.parametrize("name", ["windows", "another"])
def test_a_manager_that_is_only_rendered_for(tmp_path: Path, name: str) -> None:
    manager = backend(name, parts(tmp_path, Runner()))
    assert not manager.runs
    assert manager.seen((A,)) == {"a": ServiceSeen(False, False, False, None)}
    manager.reload()
    for attempt in (
        lambda: manager.enable(A),
        lambda: manager.disable(A),
        lambda: manager.start(A),
        lambda: manager.stop(A, 1),
    ):
        with pytest.raises(HostError) as refusal:
            attempt()
        assert refusal.value.code == "HST109"
