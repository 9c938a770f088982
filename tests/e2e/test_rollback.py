"""Back to an earlier generation: files, settings, releases and services, and nobody else's changes lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pbxfleet.pbx.pbx_xml import read
from pbxfleet.schema.outputs import document_of
from support.e2e import applied_site
from support.output_schemas import judge
from support.running_site import RunningSite

Make = Callable[..., RunningSite]


def rollback(site: RunningSite, *words: str, code: int = 6) -> Any:
    done = site.run("rollback", *words, "--auto-approve", "--json")
    assert done.code == code, done
    if code == 6:
        judge(document_of("rollback"), done.data)
    return done


def history(site: RunningSite) -> Any:
    done = site.run("history", "--json")
    assert done.code == 0, done
    judge(document_of("history"), done.data)
    return done.data


def managed(site: RunningSite) -> dict[str, bytes]:
    """Every file of the host but the state folder, logs and what only tests have put there."""
    return {
        # An empty element that was filled in between comes back in its other spelling.
        str(path.relative_to(site.root)): path.read_bytes().replace(b"></log_filename>", b"/>")
        for path in sorted(site.root.rglob("*"))
        if path.is_file()
        and not path.is_relative_to(site.root / "var/lib/pbxfleet")
        and not path.name.endswith((".log", ".pid"))
        and "run/" not in str(path)
    }


def test_files_settings_release_and_service_come_back(running: Make) -> None:
    site = running().up()
    before = managed(site)
    site.instance("ash", 'release = "70.6"\nbackup = { recordings = true }', sys_name="Other")
    site.instance("birch", log_length=300, log_filename="birch.log")
    site.compile()
    site.apply("--quiet")
    assert site.status_of("ash")["version"] == "70.6"
    assert "<log_filename>birch.log</log_filename>" in site.pbx_xml("birch")
    done = rollback(site)
    assert done.data["outcome"] == "rolled_back"
    assert site.status_of("ash")["version"] == "70.5"
    for name in site.addresses:
        assert site.sockets(name) == site.expected(name)
    assert managed(site) == before
    known = history(site)
    assert [g["kind"] for g in known["generations"]] == ["rollback", "apply", "apply"]
    assert known["current"] == 3 and known["generations"][0]["restores"] == 1
    assert "nothing to roll back" in rollback(site, "3", code=1).err
    assert "no generation before" in rollback(site, code=1).err


def test_the_repository_still_says_otherwise_and_a_rollback_can_be_rolled_back(
    running: Make,
) -> None:
    site = running().up()
    site.change("ash", sys_name="Other")
    site.apply("--quiet")
    rollback(site)
    assert "<sys_name>Ash</sys_name>" in site.pbx_xml("ash")
    assert site.plan()["changes"], "what is declared is pending again"
    rollback(site, "2")
    assert "<sys_name>Other</sys_name>" in site.pbx_xml("ash")
    site.proven()


def test_a_setting_that_somebody_changed_since_is_left_and_named(running: Make) -> None:
    site = running().up()
    site.change("ash", sys_name="Other", log_length=300)
    site.apply("--quiet")
    site.post("ash", {"sys_name": "By hand"})
    done = rollback(site)
    assert "PLN171" in done.out + done.err
    assert "<sys_name>By hand</sys_name>" in site.pbx_xml("ash")
    assert "<log_length>300</log_length>" not in site.pbx_xml("ash")


def test_a_new_instance_goes_out_of_service_and_its_data_stays(running: Make) -> None:
    site = running()
    site.declare("desired/instances/birch.toml", "")
    (site.repo / "desired/instances/birch.toml").unlink()
    site.compile()
    site.apply("--quiet")
    site.instance("birch")
    site.compile()
    site.apply("--quiet")
    (site.directory("birch") / "recording.wav").write_bytes(b"RIFF")
    rollback(site)
    assert site.pids()["birch"] == []
    assert (site.directory("birch") / "recording.wav").read_bytes() == b"RIFF"
    assert site.pids()["ash"]


def test_the_policy_says_how_many_are_kept(running: Make) -> None:
    site = running("ash").up()
    for number in range(3):
        site.change("ash", sys_name=f"Name {number}")
        site.apply("--quiet")
    whole = history(site)
    assert (whole["keep"], len(whole["generations"])) == (20, 4)
    fleet = site.repo / "desired/fleet.toml"
    text = fleet.read_text(encoding="utf-8")
    fleet.write_text(text.replace("[policy]", "[policy]\ngenerations = 2"), encoding="utf-8")
    site.compile()
    site.apply("--quiet")
    kept = history(site)
    assert [g["number"] for g in kept["generations"]] == [4, 3] and kept["keep"] == 2
    assert 0 < kept["size_bytes"] < whole["size_bytes"]
    assert "2 of at most 2 are kept, " in site.ok("history").out
    rollback(site)
    assert "<sys_name>Name 1</sys_name>" in site.pbx_xml("ash")
    assert history(site)["keep"] == 2, "an old target does not say how much is kept now"


def test_what_was_there_before_us_comes_back_and_is_left_alone_from_then_on(running: Make) -> None:
    site = running()
    (site.repo / "desired/instances/birch.toml").unlink()
    site.up()
    theirs = site.root / "etc/pbx/backup-birch.list"
    theirs.write_bytes(b"/srv/by-hand\n")
    theirs.chmod(0o600)
    site.directory("birch").mkdir()
    reference = (site.repo / "desired/reference/pbx.xml").read_bytes()
    (site.directory("birch") / "pbx.xml").write_bytes(reference)
    site.instance("birch", sys_name="Ours")
    site.compile()
    site.apply("--quiet")
    assert b"by-hand" not in theirs.read_bytes() and "<sys_name>Ours<" in site.pbx_xml("birch")
    declared = ("sys_name", "log_duration", "ip_http_port", "sip_udp_port", "rtp_port_start")
    ours = elements(site, "birch", declared)
    assert "as it was at generation 1" in site.run("rollback", "--plan").out
    rollback(site)
    assert (theirs.read_bytes(), theirs.stat().st_mode & 0o777) == (b"/srv/by-hand\n", 0o600)
    back = elements(site, "birch", declared)
    was = {name: read(reference).get(name) for name in declared}
    assert back == {n: None if e is None else e.value for n, e in was.items()} != ours
    assert site.pids()["birch"] == []
    assert "nothing to roll back" in rollback(site, "1", code=1).err
    (site.repo / "desired/instances/birch.toml").unlink()
    site.compile()
    site.settles()
    site.apply("--quiet")
    assert theirs.read_bytes() == b"/srv/by-hand\n", "it is not ours, so nobody removes it"


def elements(site: RunningSite, name: str, wanted: tuple[str, ...]) -> dict[str, str | None]:
    document = read(site.pbx_xml(name).encode())
    found = {n: document.get(n) for n in wanted}
    return {n: None if e is None else e.value for n, e in found.items()}


def test_what_somebody_wrote_over_ours_since_is_theirs(running: Make) -> None:
    site = running()
    (site.repo / "desired/instances/birch.toml").unlink()
    site.up()
    theirs = site.root / "etc/pbx/backup-birch.list"
    theirs.write_bytes(b"/srv/by-hand\n")
    site.instance("birch")
    site.compile()
    site.apply("--quiet")
    theirs.write_bytes(b"/srv/later\n")
    rollback(site)
    assert theirs.read_bytes() == b"/srv/later\n"


def test_looking_first_changes_nothing(running: Make) -> None:
    site = running().up()
    site.change("ash", sys_name="Other")
    site.apply("--quiet")
    before = managed(site)
    done = site.run("rollback", "--plan")
    assert done.code == 0 and "sys_name: Other -> Ash" in done.out
    assert managed(site) == before
    assert history(site)["current"] == 2


def test_without_a_generation_there_is_nothing_to_go_back_to(running: Make) -> None:
    site = running()
    site.compile()
    done = site.run("rollback", "--auto-approve")
    assert done.code == 1 and "PLN170" in done.err
    assert history(site)["generations"] == []


def test_what_a_killed_run_displaced_is_saved_and_named(tmp_path: Path) -> None:
    """A version of pbx.xml that was written at the moment of the swap outlives the next run."""
    site = applied_site(tmp_path)
    folder = site.root / "usr/local/pbx-alpha"
    (folder / ".pbxfleet-displaced-1-1-0").write_bytes(b"<config>theirs</config>")
    done = site.apply()
    assert "note: /usr/local/pbx-alpha/pbx.xml: another version, written while" in done.err
    found = site.ok("status", "--json")
    judge(document_of("status"), found.data)
    (saved,) = found.data["saved"]
    assert saved["path"] == "/usr/local/pbx-alpha/pbx.xml"
    assert (site.root / saved["kept"].lstrip("/")).read_bytes() == b"<config>theirs</config>"
    assert f"saved {saved['path']} of somebody else: {saved['kept']}" in site.ok("status").out
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
