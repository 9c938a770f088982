"""Files that say another time or another role: which generation and which pbxfleet left them so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pbxfleet import __version__
from pbxfleet.core.digest import digest_of
from support.e2e import Site, small_site

LIST = "etc/pbx/backup-alpha.list"
EXCLUDED = "etc/pbx/backup-alpha.exclude"
ROLE = "etc/pbx/failover-alpha.conf"
H2 = """
address = "203.0.113.130"
addresses = ["203.0.113.131-203.0.113.139"]
services = "systemd"
directory = "/usr/local/pbx-{instance}"
"""
FAILOVER = (
    'failover_file = "/etc/pbx/failover-{instance}.conf"\nfailover_template = "failover.conf"\n'
)
PAIR = 'failover = { role = "%s", peer = "%s" }\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = small_site(tmp_path)
    made.as_process = False
    return made


def applied(site: Site) -> None:
    site.compile()
    site.apply("--quiet")


def one(site: Site) -> Any:
    (item,) = site.drift()
    return item


def test_a_failover_file_that_says_the_other_role(site: Site) -> None:
    hosts, instances = site.repo / "desired/hosts", site.repo / "desired/instances"
    site.declare("desired/failover.conf", "{{ instance }}: {{ role }} beside {{ peer }}\n")
    (hosts / "h2.toml").write_text(H2 + FAILOVER, encoding="utf-8")
    (hosts / "h1.toml").write_text((hosts / "h1.toml").read_text() + FAILOVER, encoding="utf-8")
    alpha = (instances / "alpha.toml").read_text(encoding="utf-8")
    head, colon, settings = alpha.partition("[settings]")
    primary = f"{head}{PAIR % ('primary', 'alpha-dr')}{colon}{settings}"
    secondary = primary.replace('"primary"', '"secondary"').replace('"alpha-dr"', '"alpha"')
    secondary = secondary.replace('"h1"', '"h2"').replace("203.0.113.10", "203.0.113.131")
    site.declare("desired/instances/alpha.toml", primary)
    site.declare("desired/instances/alpha-dr.toml", secondary)
    applied(site)
    file = site.root / ROLE
    assert file.read_text(encoding="utf-8") == "alpha: primary beside alpha-dr\n"
    file.write_text("alpha: secondary beside alpha-dr\n", encoding="utf-8")
    item = one(site)
    assert (item["class"], item["who"]) == ("changed", "failover event")
    assert item["evidence"] == "the failover file is what its template gives for the other role"
    file.write_text("alpha: tertiary beside alpha-dr\n", encoding="utf-8")
    assert one(site)["who"] == "unknown"


def test_a_file_that_an_earlier_generation_left(site: Site) -> None:
    applied(site)
    before = (site.root / EXCLUDED).read_bytes()
    site.edit("desired/instances/alpha.toml", 'host = "h1"', 'host = "h1"\nbackup = {logs = true}')
    applied(site)
    (site.root / EXCLUDED).write_bytes(before)
    item = one(site)
    assert item["who"] == "unknown"
    assert item["evidence"].startswith("it is as generation 1 left it; the file was written ")


def test_a_file_of_an_older_pbxfleet(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had another text for the same declaration, as if an upgrade had changed a template."""
    monkeypatch.setattr("pbxfleet.app.generations.__version__", "0.0.9")
    template = site.repo / "rendered/h1/root" / LIST
    site.compile()
    manifest = site.repo / "rendered/h1/manifest.json"
    now = (template.read_bytes(), manifest.read_bytes())
    other = digest(now[0]), digest(now[0] + b"# old\n")
    template.write_bytes(now[0] + b"# old\n")
    manifest.write_bytes(now[1].replace(other[0], other[1]))
    site.apply("--quiet")
    monkeypatch.undo()
    template.write_bytes(now[0])
    manifest.write_bytes(now[1])
    site.apply("--quiet")
    assert [g["version"] for g in site.ok("history", "--json").data["generations"]] == [
        __version__,
        "0.0.9",
    ]
    (site.root / LIST).write_bytes(now[0] + b"# old\n")
    item = one(site)
    assert item["who"] == "older pbxfleet"
    assert item["evidence"].startswith("the file is what pbxfleet 0.0.9 wrote in generation 1 from")


def digest(content: bytes) -> bytes:
    return digest_of(content).encode()
