"""A question about one host of a large fleet is answered from its part, with the same answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app import part_of_fleet
from pbxfleet.app.compile import compile_fleet
from pbxfleet.app.source_map import RenderedFile, source_map, source_map_of
from support.source_fleet import files_of, written

OTHER_HOST = """\
address = "203.0.113.66"
addresses = ["203.0.113.70-203.0.113.79"]
services = "systemd"
"""
OTHERS = {
    "desired/hosts/ber1.toml": OTHER_HOST,
    "desired/instances/gamma.toml": 'host = "ber1"\naddress = "203.0.113.70"\n',
    "desired/instances/delta.toml": 'host = "ber1"\naddress = "auto"\n',
}
NAMES = ("root/etc/pbx/backup.list", "root/etc/pbx/failover-alpha.conf")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(part_of_fleet, "WORTH_IT", 1)
    others = {name: text.encode() for name, text in OTHERS.items()}
    folder = written(tmp_path, {**files_of(), **others})
    assert not compile_fleet(str(folder)).failed
    return folder


def test_the_part_has_the_host_its_instances_and_their_peers(repository: Path) -> None:
    part = part_of_fleet.part_of_fleet(str(repository), "fra1")
    assert part is not None and part.resolved is not None
    assert {i.name for host in part.resolved.hosts for i in host.instances} == {"alpha", "beta"}


def test_the_answer_is_that_of_the_whole_fleet(repository: Path) -> None:
    whole = source_map(str(repository))
    part = source_map_of(str(repository), "fra1")
    assert not part.has("ber1")
    for name in NAMES:
        file = RenderedFile("fra1", name)
        assert part.lines(file, (1,)) == whole.lines(file, (1,))
    assert source_map_of(str(repository), "ber1").has("ber1")


@pytest.mark.parametrize("host", ["fra1", "nobody"])
def test_where_the_part_may_be_wrong_everything_is_read(repository: Path, host: str) -> None:
    manifest = repository / "rendered/fra1/manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert source_map_of(str(repository), host).has("ber1")
