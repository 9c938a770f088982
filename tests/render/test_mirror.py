"""The mirror list: rsync copies a directory with it, and the other half keeps what is its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pbxfleet.render.compile import compile_host
from pbxfleet.render.mirror import excludes
from support.beds import require_programs
from support.resolved import Places, Wish, host, reference

LIST = "root/etc/pbx/mirror-acme.exclude"


def mirrored(source: Path, target: Path, listed: bytes, tmp_path: Path) -> dict[str, str]:
    """What the target holds after rsync with the list."""
    (tmp_path / "list").write_bytes(listed)
    subprocess.run(
        ("rsync", "-a", "--delete", f"--exclude-from={tmp_path}/list", f"{source}/", f"{target}/"),
        check=True,
        timeout=60,
    )
    found = (path for path in sorted(target.rglob("*")) if path.is_file())
    return {str(path.relative_to(target)): path.read_text() for path in found}


def filled(folder: Path, word: str, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(word)
    return folder


def test_each_half_keeps_what_is_its_own(tmp_path: Path) -> None:
    require_programs("rsync", "rsync")
    own = ("pbx.xml", "pbxctrl", "pbxctrl.dat", "setup.json", "run/[a].pid", "2026.log")
    data = ("domains/1/pbx.xml", "recordings/1.wav", "pbx.xml.html", "audio_en/pbxctrl")
    first = filled(tmp_path / "first", "first", *own, *data)
    second = filled(tmp_path / "second", "second", *own, "domains/gone")
    places = Places(directory=str(first), pid_file=f"{first}/run/[a].pid")
    (acme,) = host([Wish("acme", peer="acme-dr")], places=places).instances
    after = mirrored(first, second, excludes(acme), tmp_path)
    assert after == {**dict.fromkeys(data, "first"), **dict.fromkeys(own, "second")}


def test_only_halves_of_a_pair_have_the_list() -> None:
    resolved = host([Wish("acme", peer="acme-dr"), Wish("beta")])
    outcome = compile_host(resolved, "example", 1, reference(), {}, {})
    assert outcome.value is not None
    files = outcome.value.files
    assert [name for name in files if "mirror-" in name] == [LIST]
    assert files[LIST].decode().splitlines() == [
        "*.log",
        "/pbx.xml",
        "/pbxctrl",
        "/pbxctrl.dat",
        "/setup.json",
    ]
    assert b"/etc/pbx/mirror-acme.exclude\n" in files["root/etc/pbx/backup-acme.list"]
    assert outcome.value.target.resources["file:/etc/pbx/mirror-acme.exclude"].impact == "none"
