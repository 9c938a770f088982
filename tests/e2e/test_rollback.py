"""Back to an earlier generation: files, settings, releases and services, and nobody else's changes lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pbxfleet.schema.outputs import document_of
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


IGNORE = """
[[ignore]]
{}
reason = "the vendor looks into it"
expires = 2099-12-31
"""


def test_what_is_ignored_is_left_alone_and_named(running: Make) -> None:
    site = running().up()
    backup = site.root / "etc/pbx/backup.list"
    backup.write_text("/home\n")
    site.change("ash", sys_name="Other", log_length=300)
    declared = site.repo / "desired/fleet.toml"
    rules = ('setting = "sys_n*"', 'path = "/etc/pbx/backup*"')
    declared.write_text(declared.read_text() + "".join(map(IGNORE.format, rules)))
    site.compile()
    site.apply("--quiet")
    site.post("ash", {"sys_name": "By hand"})
    done = rollback(site)
    said = done.out + done.err
    assert "PLN171" not in said
    assert "ignored until 2099-12-31: the vendor looks into it" in said
    assert "<sys_name>By hand</sys_name>" in site.pbx_xml("ash")
    assert "<log_length>300</log_length>" not in site.pbx_xml("ash")
    assert backup.read_text() == "/home\n"


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
