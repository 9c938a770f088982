"""What the host keeps for going back: how much, what was there before us, and what others have written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.app.live import read_records
from pbxfleet.core.digest import digest_of
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State
from pbxfleet.model.journal import PutValuesBack, encode_inverse
from pbxfleet.model.plan import Do
from pbxfleet.pbx.pbx_xml import read
from pbxfleet.schema.outputs import document_of
from support.e2e import applied_site, nothing_changes, run_typing
from support.output_schemas import judge
from support.running_site import RunningSite

Make = Callable[..., RunningSite]


def back(site: RunningSite, *words: str, code: int = 6) -> str:
    """Roll back without a question; all that it said."""
    done = site.run("rollback", *words, "--auto-approve")
    assert done.code == code, done
    return done.out + done.err


def history(site: RunningSite) -> Any:
    return site.ok("history", "--json").data


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
    back(site)
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
    back(site)
    assert (theirs.read_bytes(), theirs.stat().st_mode & 0o777) == (b"/srv/by-hand\n", 0o600)
    now = elements(site, "birch", declared)
    was = {name: read(reference).get(name) for name in declared}
    assert now == {n: None if e is None else e.value for n, e in was.items()} != ours
    assert site.pids()["birch"] == []
    assert "nothing to roll back" in back(site, "1", code=1)
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
    back(site)
    assert theirs.read_bytes() == b"/srv/later\n"


def test_what_a_killed_run_displaced_is_saved_and_named(tmp_path: Path) -> None:
    """A version of pbx.xml that was written at the moment of the swap outlives the next run."""
    site = applied_site(tmp_path)
    folder = site.root / "usr/local/pbx-alpha"
    (folder / ".pbxfleet-displaced-1-1-0").write_bytes(b"<config>theirs</config>")
    site.edit("desired/instances/alpha.toml", '"Alpha"', '"New"')
    site.compile()
    place = ("-C", site.repo, site.host, "--root", site.root)
    with nothing_changes(folder, site.root / "etc", site.root / "var/lib/pbxfleet/records"):
        assert "not approved" in run_typing("no\n", "apply", *place).out
    asked = run_typing("yes\n", "apply", *place).out
    assert "note: /usr/local/pbx-alpha/pbx.xml: another version, written while" in asked
    assert asked.count("Type yes") == 1, "what was approved is still what is to be done"
    found = site.ok("status", "--json")
    judge(document_of("status"), found.data)
    (saved,) = found.data["saved"]
    assert saved["path"] == "/usr/local/pbx-alpha/pbx.xml"
    assert (site.root / saved["kept"].lstrip("/")).read_bytes() == b"<config>theirs</config>"
    assert f"saved {saved['path']} of somebody else: {saved['kept']}" in site.ok("status").out
    assert not [name for name in os.listdir(folder) if name.startswith(".")]


def test_what_goes_back_is_asked_for_anew(tmp_path: Path) -> None:
    """What was approved was planned without it."""
    site = applied_site(tmp_path)
    folder = site.root / "usr/local/pbx-alpha"
    file = folder / "pbx.xml"
    ours = file.read_bytes()
    theirs = ours.replace(b"<sys_name>Alpha<", b"<sys_name>Theirs<")
    machine = LocalHost(str(site.root), "systemd")
    live = read_records(State(machine))["alpha"].declared
    assert live is not None and theirs != ours
    inverse = PutValuesBack(
        HostPath("/usr/local/pbx-alpha/pbx.xml"), live, digest_of(theirs), digest_of(ours), {}
    )
    begun = {"format": 1, "host": site.host, "steps": 1, "target": "", "services": "systemd"}
    step = {"number": 1, "wave": "alpha", "do": Do.MERGE, "inverse": encode_inverse(inverse)}
    lines = [{"event": "begin", **begun}, {"event": "step", **step}]
    journal = "".join(json.dumps(line) + "\n" for line in lines)
    (site.root / "var/lib/pbxfleet/journal").write_text(journal, encoding="utf-8")
    (folder / f".pbxfleet-displaced-{file.stat().st_ino}-1-0").write_bytes(theirs)
    place = ("-C", site.repo, site.host, "--root", site.root)
    said = run_typing("no\n", "apply", *place).out
    assert "is put back" in said and "sys_name: Theirs -> Alpha" in said
    assert file.read_bytes() == theirs, "nobody approved to change it"
    site.apply()
    assert b"<sys_name>Alpha<" in file.read_bytes()
    site.settles()


def test_a_run_that_is_over_and_has_no_generation_yet_is_the_one_to_go_back_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = applied_site(tmp_path)
    site.as_process = False
    for old, new in (("Alpha", "Second"), ("Second", "Third")):
        site.edit("desired/instances/alpha.toml", f'"{old}"', f'"{new}"')
        site.compile()
        with monkeypatch.context() as power_cut:
            if new == "Third":
                power_cut.setattr("pbxfleet.app.apply.finish", lambda *_, **__: None)
            site.apply()
    done = site.run("rollback", "--auto-approve")
    assert done.code == 6 and "from generation 3 back to 2" in done.out + done.err, done
    text = (site.root / "usr/local/pbx-alpha/pbx.xml").read_text(encoding="utf-8")
    assert "<sys_name>Second<" in text
