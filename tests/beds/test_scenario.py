"""One story on every kind of host: systemd, sysvinit as Debian has it, and as the Red Hat family has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.nspawn import Bed, interpreter_binds
from support.scenario import Story, Teller
from support.systemd_bed import RedHatBed, SystemdBed, SysvinitBed

FILE = Path(__file__).with_name("scenario.toml")
HOSTS = {
    "systemd": ("systemd", SystemdBed),
    "debian": ("sysv", SysvinitBed),
    "redhat": ("sysv", RedHatBed),
}


@pytest.mark.parametrize("kind", HOSTS)
def test_the_story_of_twelve_instances(tmp_path: Path, kind: str) -> None:
    services, bed_kind = HOSTS[kind]
    story = Story(FILE, tmp_path / "fleet", services)
    made: Bed = bed_kind(tmp_path / "host", binds=(*interpreter_binds(), str(story.repository)))
    with made as bed:
        bed.start(story.addresses())
        Teller(story, bed).tell()
