"""Unit files: what systemd itself says about them, and how odd paths are written."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.render.compile import compile_host
from pbxfleet.render.services import BACKENDS
from pbxfleet.render.services.hardening import CAPABILITIES, DIRECTIVES, LEFT_OUT
from pbxfleet.render.services.systemd import command, to_end_of_line, word
from support import beds
from support.resolved import HOST_FILE, Wish, host, reference
from support.tree import ROOT

ODD_DIRECTORY = "/srv/p b%x/$HOME ;[1]*#~{a}\u00fc"


ODD_FOLDERS = ('/etc/"', "/etc/a\\", "/etc/'", '/etc/a "b" $c\\\\ %d\\', "/etc/\u00fc;#")
VERIFY = ("verify", "--recursive-errors=no", "--man=no")


def unit(wish: Wish, affinity: AffinityBy = AffinityBy.UNIT, *, hardening: bool = True) -> str:
    resolved = host([wish], ServiceBackend.SYSTEMD, affinity=affinity, hardening=hardening)
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
        ("/var/log/a\\", '"/var/log/a\\\\"'),
        ('/var/log/"a"', '"/var/log/\\"a\\""'),
        ("/var/log/o'a", '"/var/log/o\'a"'),
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


@pytest.mark.parametrize("affinity", [AffinityBy.UNIT, AffinityBy.CPUSET])
@pytest.mark.parametrize("directory", ["/usr/local/pbx-acme", ODD_DIRECTORY])
def test_systemd_finds_nothing_to_complain_about(
    tmp_path: Path, directory: str, affinity: AffinityBy
) -> None:
    text = unit(Wish("acme", cpu=1, directory=directory, peer="acme-dr"), affinity)
    done = analyze(tmp_path, directory, text, *VERIFY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_exposure_is_the_one_in_the_documents(tmp_path: Path) -> None:
    document = (ROOT / "docs/how-to/services.md").read_text(encoding="utf-8")
    found = []
    for hardening in (True, False):
        folder = tmp_path / str(hardening)
        text = unit(Wish("acme", cpu=1), hardening=hardening)
        argv = ("security", "--offline=true", "--no-pager")
        done = analyze(folder, "/usr/local/pbx-acme", text, *argv)
        found.append(re.findall(r"exposure level for pbx-acme.service: ([0-9.]+)", done.stdout))
    ((hard,), (soft,)) = found
    assert f"exposure of **{hard}** (of 10" in " ".join(document.split())
    assert f"without hardening {soft})" in " ".join(document.split())
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"`systemd-analyze security`: {hard})" in changelog


def test_the_documents_explain_every_line_of_the_hardening() -> None:
    document = (ROOT / "docs/how-to/services.md").read_text(encoding="utf-8")
    rows = [f"| `{row.name}` | {row.why} |" for row in (*DIRECTIVES, *CAPABILITIES, *LEFT_OUT)]
    assert [row for row in rows if row not in document] == []
    names = {row.name.partition("=")[0] for row in LEFT_OUT} - {"ProtectSystem"}
    assert names.isdisjoint(line.partition("=")[0] for line in unit(Wish("acme")).splitlines())


def test_hardening_knows_where_the_files_of_the_instance_lie() -> None:
    plain = unit(Wish("acme"))
    assert "\nReadWritePaths=/usr/local/pbx-acme\n" in plain and "Paths=-" not in plain
    beside = unit(Wish("acme", peer="other", settings={"log_filename": "/var/log/pbx x/a.log"}))
    assert '\nReadWritePaths=-/etc/pbx\nReadWritePaths=-"/var/log/pbx x"\n' in beside
    assert "PrivateTmp" not in unit(Wish("acme", directory="/var/tmp/pbx"))
    assert "ProtectHome" not in unit(Wish("acme", directory="/run/user/pbx"))
    assert "ReadWritePaths" not in unit(Wish("acme", peer="other"), hardening=False)


def test_a_set_of_cores_is_a_limit_and_no_affinity() -> None:
    text = unit(Wish("acme", cpu=3), AffinityBy.CPUSET)
    assert "\nAllowedCPUs=3\n" in text and "CPUAffinity=" not in text
    assert "AllowedCPUs" not in unit(Wish("acme"), AffinityBy.CPUSET)


def analyze(root: Path, directory: str, text: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of the unit below a root of its own.

    This machine's units are not under test, and the program must be there.
    """
    beds.require_programs("systemd-analyze", "systemd-analyze")
    units = root / "etc/systemd/system"
    program = root / directory.lstrip("/") / "pbxctrl"
    for folder in (units, program.parent):
        folder.mkdir(parents=True)
    shutil.copy("/bin/true", program)
    (units / "pbx-acme.service").write_text(text, encoding="utf-8")
    for target in _wanted(text):
        (units / target).write_text("[Unit]\nDescription=stands in for the real one\n")
    return subprocess.run(
        ["systemd-analyze", *argv, f"--root={root}", "pbx-acme.service"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _wanted(text: str) -> set[str]:
    """Targets that the unit names, and those that every unit depends on."""
    named = {
        target
        for line in text.splitlines()
        if line.startswith(("After=", "Wants=", "WantedBy="))
        for target in line.partition("=")[2].split()
    }
    return named | {"sysinit.target", "basic.target", "shutdown.target"}


def test_files_that_the_pbx_is_told_to_write_stay_writable() -> None:
    settings = {"log_filename": "/etc/pbx log/$y.log", "cdr": "file:/root/cdr/out.csv /srv/../x"}
    lines = unit(Wish("acme", settings=settings)).splitlines()
    assert "ProtectHome=yes" not in lines
    written = [line for line in lines if line.startswith("ReadWritePaths=-")]
    assert written == ['ReadWritePaths=-"/etc/pbx log"', "ReadWritePaths=-/root/cdr"]


@pytest.mark.parametrize("folder", ODD_FOLDERS)
def test_systemd_understands_the_folder_of_a_log(tmp_path: Path, folder: str) -> None:
    """It ignores a path that it cannot read, and says so: then the log would be refused at night."""
    text = unit(Wish("acme", settings={"log_filename": f"{folder}/a.log"}))
    done = analyze(tmp_path, "/usr/local/pbx-acme", text, *VERIFY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
