"""What a killed run left is removed by the next apply, wherever it lies, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.e2e import applied_site, nothing_changes

FOLDERS = (
    "", "etc", "etc/pbx", "etc/systemd/system", "etc/systemd/system/multi-user.target.wants", "usr",
    "usr/local", "var", "var/lib", "var/lib/pbxfleet", "var/lib/pbxfleet/records",
    "var/lib/pbxfleet/records/applied", "var/log", "run",
)  # fmt: skip


def test_wherever_it_lies(tmp_path: Path) -> None:
    site = applied_site(tmp_path)
    for folder in FOLDERS:
        (site.root / folder).mkdir(parents=True, exist_ok=True)
        (site.root / folder / ".pbxfleet-1-1").write_text("half", encoding="ascii")
        (site.root / folder / ".pbxfleet-1-2").mkdir()
        (site.root / folder / ".pbxfleet-theirs").write_text("not ours", encoding="ascii")
    assert site.apply().out == f"{site.host}: nothing to do\n"
    left = sorted(path.name for path in site.root.rglob(".pbxfleet-*"))
    assert left == [".pbxfleet-theirs"] * len(FOLDERS)
    with nothing_changes(site.root):
        site.apply()


@pytest.mark.parametrize("name", ["etc/pbx", "var/lib/pbxfleet/records"])
def test_what_cannot_be_removed_stops_nothing(tmp_path: Path, name: str) -> None:
    """A directory that is not empty is none of ours."""
    site = applied_site(tmp_path)
    (site.root / name / ".pbxfleet-1-1").mkdir()
    (site.root / name / ".pbxfleet-1-1/theirs").write_text("kept", encoding="ascii")
    site.apply()
    assert (site.root / name / ".pbxfleet-1-1/theirs").read_text(encoding="ascii") == "kept"
