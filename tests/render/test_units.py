"""Unit files: what systemd itself says about them, and how odd paths are written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.render.compile import compile_host
from pbxfleet.render.services import BACKENDS
from pbxfleet.render.services.systemd import command, to_end_of_line, word
from support import beds
from support.resolved import HOST_FILE, Wish, host, reference

ODD_DIRECTORY = "/srv/p b%x/$HOME ;[1]*#~{a}\u00fc"


def unit(wish: Wish, affinity: AffinityBy = AffinityBy.UNIT) -> str:
    resolved = host([wish], ServiceBackend.SYSTEMD, affinity=affinity)
    made = BACKENDS[ServiceBackend.SYSTEMD].service_file(resolved, resolved.instances[0])
    assert made is not None and made.mode == 0o644
    return made.content.decode()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/usr/local/pbx-1", "/usr/local/pbx-1"),
        ("/srv/50%", "/srv/50%%"),
        ("/srv/a b", '"/srv/a b"'),
        ("/srv/a;b", '"/srv/a;b"'),
        ("/srv/M\u00fcller", '"/srv/M\u00fcller"'),
    ],
)
def test_a_word_of_a_unit_means_its_text(text: str, written: str) -> None:
    assert word(text) == written


def test_dollars_are_kept_only_where_they_stand() -> None:
    assert command("/srv/pbx/pbxctrl") == "/srv/pbx/pbxctrl"
    assert command("/srv/$HOME/pbxctrl") == ':"/srv/$HOME/pbxctrl"'


@pytest.mark.parametrize(
    ("path", "written"),
    [("/srv/a b", "/srv/a b"), ("/srv/%i", "/srv/%%i"), ("/srv/a ", "/srv/a /")],
)
def test_the_rest_of_a_line_keeps_its_last_character(path: str, written: str) -> None:
    assert to_end_of_line(path) == written


@pytest.mark.parametrize("directory", ["/srv/o'brien", '/srv/"a"', "/srv/a\\b"])
def test_a_path_that_systemd_does_not_run_is_reported(directory: str) -> None:
    outcome = compile_host(host([Wish("acme", directory=directory)]), "f", 1, reference(), {}, {})
    assert [(d.code, str(d.span)) for d in outcome.errors] == [("DIR121", f"{HOST_FILE}:7:1")]
    manager = ServiceBackend.SYSV
    outcome = compile_host(
        host([Wish("acme", directory=directory)], manager), "f", 1, reference(), {}, {}
    )
    assert outcome.errors == ()


def test_the_core_is_set_by_one_mechanism_only() -> None:
    pinned = Wish("acme", cpu=1)
    assert "\nCPUAffinity=1\n" in unit(pinned)
    assert "CPUAffinity" not in unit(pinned, AffinityBy.PBX)
    assert "CPUAffinity" not in unit(Wish("acme"))


def test_systemd_is_the_only_supervisor() -> None:
    text = unit(Wish("acme"))
    started = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert "--no-daemon" in started and "--respawn" not in started and "--pidfile" not in started


@pytest.mark.parametrize("directory", ["/usr/local/pbx-acme", ODD_DIRECTORY])
def test_systemd_finds_nothing_to_complain_about(tmp_path: Path, directory: str) -> None:
    beds.require_programs("systemd-analyze", "systemd-analyze")
    # A root of its own: this machine's units are not under test, and the program must be there.
    units = tmp_path / "etc/systemd/system"
    program = tmp_path / directory.lstrip("/") / "pbxctrl"
    for folder in (units, program.parent):
        folder.mkdir(parents=True)
    shutil.copy("/bin/true", program)
    text = unit(Wish("acme", cpu=1, directory=directory))
    (units / "pbx-acme.service").write_text(text, encoding="utf-8")
    for target in _wanted(text):
        (units / target).write_text("[Unit]\nDescription=stands in for the real one\n")
    argv = ("systemd-analyze", "verify", "--recursive-errors=no", "--man=no")
    done = subprocess.run(
        [*argv, f"--root={tmp_path}", "pbx-acme.service"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _wanted(text: str) -> set[str]:
    """Targets that the unit names, and those that every unit depends on."""
    named = {
        target
        for line in text.splitlines()
        if line.startswith(("After=", "Wants=", "WantedBy="))
        for target in line.partition("=")[2].split()
    }
    return named | {"sysinit.target", "basic.target", "shutdown.target"}
