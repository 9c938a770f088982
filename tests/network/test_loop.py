"""The whole loop of a host with [network]: compile, plan, apply, nothing to do, drift, remove."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.e2e import Site, copied_site, small_site

HOST = "desired/hosts/h1.toml"
ALPHA = "desired/instances/alpha.toml"
DROP_IN = "etc/systemd/network/10-eth0.network.d/50-pbxfleet.conf"
FILES = {
    DROP_IN,
    "etc/pbxfleet/firewall.nft",
    "etc/pbxfleet/source.nft",
    "etc/pbxfleet/source-alpha.nft",
    "etc/systemd/system/pbxfleet-nftables.service",
    "etc/systemd/system/multi-user.target.d/50-pbxfleet.conf",
    "etc/systemd/system/pbx-alpha.service.d/50-pbxfleet-source.conf",
}
OF_ALPHA = {name for name in FILES if "alpha" in name}
FLEET, REFERENCE = "desired/fleet.toml", "desired/reference/pbx.xml"
MEDIA = "<rtp_start>49152</rtp_start><rtp_end>64511</rtp_end>"
MAPPED = 'rtp_start = "rtp_start"\nrtp_end = "rtp_end"\n'
NETWORK = """
[network]
backend = "networkd"
interface = "eth0"
network_file = "10-eth0.network"
firewall = "nftables"
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled repository whose host has everything of a network."""
    site = small_site(tmp_path_factory.mktemp("compiled"))
    site.as_process = False
    reference = (site.repo / REFERENCE).read_text(encoding="utf-8")
    site.declare(REFERENCE, reference.replace("</config>", f"{MEDIA}</config>"))
    site.edit(FLEET, "[catalogue]\n", f"[catalogue]\n{MAPPED}")
    host = (site.repo / HOST).read_text(encoding="utf-8")
    site.declare(HOST, 'rtp = "50000-50999"\n' + host + NETWORK)
    text = (site.repo / ALPHA).read_text(encoding="utf-8")
    site.declare(ALPHA, 'source_address = "own"\n' + text)
    site.compile()
    return site.repo


@pytest.fixture
def site(tmp_path: Path, compiled: Path) -> Site:
    """The repository, and a folder for the host on which nothing was done yet."""
    return copied_site(tmp_path, compiled)


def present(site: Site) -> set[str]:
    """The files of the network that the host has."""
    return {name for name in FILES if (site.root / name).is_file()}


def notes(site: Site) -> list[str]:
    """What the plan says has to be put into effect, and how."""
    return [note["hint"] for note in site.plan()["notes"] if note["code"] == "NET221"]


def test_the_plan_says_what_puts_it_into_effect_and_the_next_one_is_empty(site: Site) -> None:
    assert notes(site) == [
        "afterwards: systemctl daemon-reload && systemctl reload-or-restart pbxfleet-nftables",
        "afterwards: networkctl reload",
    ]
    site.apply()
    assert present(site) == FILES
    site.settles()


def test_only_the_host_is_brought_up_to_date(site: Site) -> None:
    site.apply("--host-only")
    assert present(site) == FILES - OF_ALPHA
    assert not (site.root / "usr").exists()
    plan = site.plan()
    assert {change["instance"] for change in plan["changes"]} == {"alpha", "beta"}
    assert site.ok("plan", "--host-only").out == "h1: nothing to do\n"
    site.apply()
    site.settles()


def test_an_unfinished_run_of_instances_is_not_closed_by_the_host_alone(site: Site) -> None:
    site.apply("--host-only")
    state = site.root / "var/lib/pbxfleet"
    unit = next(c["resource"] for c in site.plan()["changes"] if c["instance"] == "alpha")
    (state / "journal").write_text(
        '{"event": "begin"}\n' + json.dumps({"event": "step", "resource": unit}) + "\n"
    )
    done = site.apply("--host-only", expect=1)
    assert "PLN131" in done.err and unit in done.err
    assert (state / "journal").exists()
    site.apply()
    assert not (state / "journal").exists()


def test_a_stored_plan_of_the_host_alone(site: Site, tmp_path: Path) -> None:
    stored = tmp_path / "host.plan"
    site.ok("plan", "--host-only", "--out", stored)
    site.host = str(stored)
    site.apply("--host-only")
    assert present(site) == FILES - OF_ALPHA


def test_a_new_address_changes_the_files_of_the_host_and_no_other_instance(site: Site) -> None:
    site.apply()
    gamma = (site.repo / ALPHA).read_text(encoding="utf-8").replace("203.0.113.10", "203.0.113.15")
    site.declare("desired/instances/gamma.toml", gamma.replace("alpha", "gamma"))
    site.compile()
    changes = site.plan()["changes"]
    assert {change["instance"] for change in changes} == {"", "gamma"}
    assert {change["impact"] for change in changes if not change["instance"]} == {"none"}
    site.apply()
    assert "Address=203.0.113.15/32" in (site.root / DROP_IN).read_text(encoding="utf-8")
    site.settles()


def test_a_rule_that_somebody_added_is_drift(site: Site) -> None:
    site.apply()
    rules = site.root / "etc/pbxfleet/firewall.nft"
    before = rules.read_bytes()
    rules.write_bytes(before.replace(b"counter drop", b"counter accept"))
    (item,) = site.drift()
    assert (item["class"], item["resource"]) == ("changed", "file:/etc/pbxfleet/firewall.nft")
    site.apply()
    assert rules.read_bytes() == before


def test_without_the_table_everything_goes_and_the_plan_says_what_stays_in_the_kernel(
    site: Site,
) -> None:
    site.apply()
    site.edit(HOST, NETWORK, "")
    site.edit(ALPHA, 'source_address = "own"\n', "")
    site.compile()
    assert set(notes(site)) == {
        "afterwards: networkctl reload",
        "afterwards: nft delete table inet pbxfleet",
        "afterwards: nft delete table inet pbxfleet_source",
        "afterwards: systemctl stop pbxfleet-nftables",
    }
    site.apply()
    assert present(site) == set()
    site.settles()
