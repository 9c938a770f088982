"""Drift becomes the declaration: adopt then compile gives the live values, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pbxfleet.pbx.meaning import without_spelling
from support.adopt_site import BETA, HOST, INSTANCES, Site, adopted, applied_site, copied, git


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return applied_site(tmp_path_factory.mktemp("adopt"))


@pytest.fixture
def site(applied: Site, tmp_path: Path) -> Site:
    return copied(applied, tmp_path / "site")


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Co", "Zl", "Zp", "Cn"))
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "sys_name": TEXT,
        "log_length": st.integers(100, 5000).map(str),
        "greeting": TEXT,
        "sip_udp_port": st.integers(5080, 5099).map(str),
        "rtp_port_end": st.integers(60000, 64000).map(str),
    },
)


@settings(max_examples=8, phases=(Phase.explicit, Phase.generate))
@given(live=st.fixed_dictionaries(dict.fromkeys(INSTANCES, SETTINGS)))
def test_adopt_then_compile_declares_what_is_there(
    applied: Site, tmp_path_factory: pytest.TempPathFactory, live: dict[str, dict[str, str]]
) -> None:
    site = copied(applied, tmp_path_factory.mktemp("law"))
    for number, name in enumerate(INSTANCES):
        edits = dict(live[name])
        if name == "gamma":
            edits.pop("sys_name", None)  # nobody declares it there: it is the application's
        if "sip_udp_port" in edits:
            edits["sip_udp_port"] = f"203.0.113.{10 + number}:{edits['sip_udp_port']}"
        site.change(name, edits)
        live[name] = edits
    before, files = {name: site.declared(name) for name in INSTANCES}, site.files("desired")
    done = site.adopt("--json")
    assert done.data["left_out"] == [], done.data["left_out"]
    adopted(site)
    for name in INSTANCES:
        declared = site.declared(name)
        for key, value in (before[name] | live[name]).items():
            assert same(declared[key], value), (name, key)
    again = site.adopt()
    assert (again.code, again.out) == (0, "")
    for file, content in site.files("desired").items():
        assert comments(content) == comments(files[file]), file


def same(one: str | None, other: str | None) -> bool:
    return one == other or (
        None not in (one, other) and (without_spelling(str(one)) == without_spelling(str(other)))
    )


def comments(content: bytes) -> list[str]:
    return [line.partition("#")[2] for line in content.decode().split("\n") if "# " in line]


def test_without_drift_nothing_is_proposed(site: Site) -> None:
    before = site.files("desired")
    done = site.adopt()
    assert (done.code, done.out) == (0, "")
    assert "nothing to adopt" in done.err
    assert site.files("desired") == before


def test_only_the_instance_that_drifted_gets_another_value(site: Site) -> None:
    before = site.files("rendered")
    site.change("alpha", {"log_length": "300"})
    adopted(site)
    after = site.files("rendered")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "fra1/manifest.json",
        "fra1/settings/alpha.json",
        "fra1/root/usr/local/pbx-alpha/pbx.xml",
    }
    assert b"log_length = 300\n" in site.files("desired")["instances/alpha.toml"]


def test_the_layer_itself_is_edited_where_all_of_it_drifted_alike(site: Site) -> None:
    for name in INSTANCES:
        site.change(name, {"log_length": "300"})
    done = site.adopt("--json")
    (one,) = done.data["adopted"]
    assert (one["layer"], one["file"], one["others"]) == ("fleet", "desired/fleet.toml", [])
    assert "all 3 instances" in one["why"]
    adopted(site)
    assert b"log_length = 300 # lines\n" in site.files("desired")["fleet.toml"]


def test_a_layer_that_is_asked_for_says_whom_it_changes_too(site: Site) -> None:
    site.change("alpha", {"log_length": "300", "sys_name": "Other"})
    done = site.adopt("--layer", "host")
    assert "this also changes beta, gamma" in done.err
    assert "a nearer layer, which wins" in done.err
    assert done.code == 2
    adopted(site, "--layer", "host")
    assert {site.declared(name)["log_length"] for name in INSTANCES} == {"300"}
    assert (
        "[defaults.settings]\nlog_length = 300\n"
        in (site.repo / "desired/hosts/fra1.toml").read_text()
    )


def test_yaml_keeps_its_comments_quotation_marks_and_braces(site: Site) -> None:
    site.change("beta", {"sys_name": "Beta & Co", "sip_udp_port": "203.0.113.11:5099"})
    adopted(site)
    text = (site.repo / "desired/instances/beta.yaml").read_text()
    assert text == BETA.replace("'Beta'", "'Beta & Co'").replace("5070", "5099")


def test_closed_listeners_and_foreign_binds(site: Site) -> None:
    site.change("beta", {"sip_udp_port": "", "sip_tcp_port": "198.51.100.7:5060"})
    done = site.adopt("--json")
    (one,) = done.data["adopted"]
    assert (one["keys"], one["value"]) == (["listen", "sip_udp"], "off")
    (left,) = done.data["left_out"]
    assert left["name"] == "sip_tcp_port" and "BND" in left["why"]


def test_what_no_key_says_is_listed_with_its_reason(site: Site) -> None:
    path = site.pbx_xml("alpha")
    path.write_bytes(path.read_bytes().replace(b"<greeting>hello</greeting>", b""))
    listed = site.root / "etc/pbx/backup.list"
    listed.chmod(0o600)
    (site.root / "etc/pbx/backup-beta.list").write_text("/elsewhere\n")
    done = site.adopt("--json")
    why = {one["name"]: one["why"] for one in done.data["left_out"]}
    assert done.code == 2 and done.data["adopted"] == []
    assert "unset" in why["greeting"]
    assert "modes and owners" in why["mode"]
    assert "whole file is rendered" in why["content"]


def test_a_branch_is_made_beside_the_checkout(site: Site) -> None:
    site.change("alpha", {"sys_name": "Omega"})
    (site.repo / "notes.txt").write_text("not committed\n")
    before = (git(site.repo, "status", "--porcelain"), git(site.repo, "rev-parse", "HEAD"))
    done = site.adopt("--branch", "adopt", "--json")
    assert done.code == 0 and done.data["branch"]["name"] == "adopt"
    assert (git(site.repo, "status", "--porcelain"), git(site.repo, "rev-parse", "HEAD")) == before
    assert (
        git(site.repo, "diff", "--name-only", "HEAD", "adopt") == "desired/instances/alpha.toml\n"
    )
    assert git(site.repo, "rev-parse", "adopt^") == before[1]
    assert "error" not in git(site.repo, "fsck", "--strict")
    assert git(site.repo, "show", "adopt:desired/instances/alpha.toml").count('"Omega"') == 1
    assert "run pbxfleet compile there" in site.adopt("--branch", "adopt2").err
    again = site.adopt("--branch", "adopt")
    assert again.code == 1 and "there is a branch adopt already" in again.err


def test_a_branch_needs_committed_files(site: Site) -> None:
    site.change("alpha", {"sys_name": "Omega"})
    git(site.repo, "rm", "-q", "--cached", "desired/instances/alpha.toml")
    git(site.repo, "commit", "-qm", "Forget one")
    done = site.adopt("--branch", "adopt")
    assert done.code == 1 and "changes that are not committed" in done.err
    assert "adopt" not in git(site.repo, "branch")


def test_a_patch_goes_into_a_file(site: Site, tmp_path: Path) -> None:
    site.change("alpha", {"sys_name": "Omega"})
    patch = tmp_path / "adopt.patch"
    done = site.adopt("--patch", str(patch))
    assert done.out == ""
    git(site.repo, "apply", str(patch))
    assert "Omega" in (site.repo / "desired/instances/alpha.toml").read_text()


def test_a_fleet_that_does_not_validate_or_compile_is_refused(site: Site) -> None:
    fleet = site.repo / "desired/fleet.toml"
    fleet.write_text(fleet.read_text() + "# one more line\n")
    done = site.adopt()
    assert done.code == 1 and "PLN107" in done.err
    assert site.run("drift", HOST, "--root", str(site.root), "--layer", "host").code == 64


def test_no_secret_is_adopted(site: Site) -> None:
    path = site.pbx_xml("alpha")
    path.write_bytes(path.read_bytes().replace(b"5f4dcc3b5aa765d6", b"0123456789abcdef"))
    done = site.adopt("--json")
    assert "0123456789abcdef" not in json.dumps(done.data)
    assert done.data["adopted"] == []


def test_a_line_says_since_when_the_host_has_it(site: Site) -> None:
    root, place = ("--root", str(site.root)), f"{HOST}/alpha/pbx.xml:5"
    known = site.run("explain", place, *root, "--json").data
    assert (known["element"], known["applied"]["generation"]) == ("sys_name", 1)
    assert "generation 1, 2" in site.run("explain", place, *root).out
    alpha = site.repo / "desired/instances/alpha.toml"
    alpha.write_text(alpha.read_text().replace('"Alpha"', '"Omega"'))
    assert site.run("compile").code == 0
    assert site.run("explain", place, *root, "--json").data["applied"] is None
    assert "applied      not yet: it is pending" in site.run("explain", place, *root).out
    elsewhere = ("--root", str(site.repo))
    assert "applied      not known here" in site.run("explain", place, *elsewhere).out


def test_a_peer_that_follows_is_another_instance_that_changes(site: Site) -> None:
    site.change("gamma", {"ip_http_port": "203.0.113.12:8088"})
    done = site.adopt("--json")
    (left,) = done.data["left_out"]
    assert (done.code, done.data["adopted"], done.out.count("8088")) == (2, [], 0)
    assert "it would change beta" in left["why"]
    (one,) = site.adopt("--layer", "instance", "--json").data["adopted"]
    assert (one["file"], one["others"]) == ("desired/instances/gamma.toml", ["beta"])


def test_what_cannot_be_declared_leaves_the_rest_as_it_is(site: Site) -> None:
    site.change("alpha", {"sip_udp_port": "198.51.100.7:5060", "sys_name": "Omega"})
    site.change("beta", {"sip_tcp_port": "5060", "sys_name": "Omicron"})
    done = site.adopt("--json")
    assert {one["value"] for one in done.data["adopted"]} == {"Omega", "Omicron"}
    left = {(one["instance"], one["name"]) for one in done.data["left_out"]}
    assert left == {("alpha", "sip_udp_port"), ("beta", "sip_tcp_port")}
    assert "198.51.100.7" not in done.data["patch"] and "Omega" in done.data["patch"]
    adopted(site)


def test_a_file_that_does_not_read_is_no_silence(site: Site) -> None:
    site.pbx_xml("alpha").write_bytes(b"not xml")
    beta = site.pbx_xml("beta")
    beta.rename(beta.with_suffix(".kept"))
    beta.symlink_to(beta.with_suffix(".kept"))
    done = site.adopt("--json")
    left = {one["instance"]: one["why"] for one in done.data["left_out"]}
    assert done.code == 2 and done.data["adopted"] == []
    assert set(left) == {"alpha", "beta"} and all("the plan tells" in w for w in left.values())
