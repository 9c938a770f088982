"""Apply and plan on a machine that the target was not made for."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pbxfleet.app.identity import Known, Machine, check_facts
from pbxfleet.core.errors import Refused
from pbxfleet.model.guards import NO_GUARDS, Guards
from pbxfleet.model.target import Target
from support.e2e import Site, applied_site, nothing_changes
from support.targets import Wish, fleet

HERE, THERE = "192.0.2.10", "192.0.2.99"
STATE = "var/lib/pbxfleet"


def target(guards: Guards = NO_GUARDS, address: str = HERE) -> Target:
    """Of the host fra1."""
    return fleet(Wish("alpha", address)).target._replace(guards=guards)


def known(node: str = "vm-1", machine_id: str = "a" * 32) -> Known:
    return Known("example", "fra1", node, machine_id)


A, B = "a" * 32, "b" * 32
OK = ""


@pytest.mark.parametrize(
    ("guards", "machine", "learned", "code"),
    [
        # nothing learned yet
        (NO_GUARDS, Machine("fra1", A, ()), None, OK),  # its addresses come later
        (NO_GUARDS, Machine("FRA1.example.net", "", ()), None, OK),
        (
            NO_GUARDS,
            Machine("vm-1", A, (HERE, THERE)),
            None,
            OK,
        ),  # called otherwise, but it is there
        (NO_GUARDS, Machine("vm-1", A, (THERE,)), None, "PLN161"),
        (NO_GUARDS, Machine("fra11", A, ()), None, "PLN161"),
        # declared
        (Guards(node_name="vm-1"), Machine("vm-1.example.net", A, ()), None, OK),
        (Guards(node_name="vm-1.example.net"), Machine("vm-1.example.org", A, ()), None, "PLN162"),
        (Guards(node_name="vm-1"), Machine("vm-2", A, (HERE,)), None, "PLN162"),
        (Guards(machine_id=A), Machine("vm-2", A, ()), None, OK),
        (Guards(machine_id=A), Machine("fra1", B, (HERE,)), None, "PLN162"),
        (Guards(machine_id=A), Machine("fra1", "", (HERE,)), None, "PLN162"),
        # learned
        (NO_GUARDS, Machine("vm-1", A, ()), known(), OK),  # all its addresses are gone for a while
        (NO_GUARDS, Machine("vm-2", A, (HERE,)), known(), OK),  # renamed
        (NO_GUARDS, Machine("vm-2", A, ()), known(), "PLN161"),  # a copy of the disk, renamed
        (
            NO_GUARDS,
            Machine("vm-1", B, (HERE,)),
            known(),
            "PLN163",
        ),  # the folder of another machine
        (Guards(machine_id=B), Machine("vm-1", B, (HERE,)), known(), OK),  # new hardware, declared
        (NO_GUARDS, Machine("vm-1", "", (HERE,)), known(), OK),
        (NO_GUARDS, Machine("vm-1", A, (HERE,)), known(machine_id=""), OK),
    ],
)
def test_which_machine_is_the_host(
    guards: Guards, machine: Machine, learned: Known | None, code: str
) -> None:
    if not code:
        check_facts(target(guards), machine, learned)
        return
    with pytest.raises(Refused) as refusal:
        check_facts(target(guards), machine, learned)
    assert refusal.value.code == code


def test_loopback_addresses_tell_nothing() -> None:
    check_facts(target(address="127.0.0.10"), Machine("vm-1", A, (THERE,)), None)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = applied_site(tmp_path)
    made.as_process = False
    return made


def refused(site: Site, code: str, *commands: str) -> str:
    """Every command is refused with this code; the last one's words."""
    said = ""
    for command in commands or ("plan", "apply", "drift", "status"):
        done = site.run(command, *(["--auto-approve"] if command == "apply" else []))
        assert done.code == 1 and f"error[{code}]" in done.err, (command, done)
        said = done.err
    return said


def test_the_state_folder_of_another_host(site: Site) -> None:
    place = site.root / STATE / "records/machine"
    data = json.loads(place.read_bytes())
    assert (data["host"], data["node"]) == (site.host, ""), "below a root the machine is nobody"
    place.write_text(json.dumps({**data, "host": "ber1"}))
    assert "is that of ber1, not of h1" in refused(site, "PLN163")
    assert site.run("plan", "--this-host").code == 0
    site.edit("desired/instances/alpha.toml", '"Alpha"', '"New"')
    site.compile()
    refused(site, "PLN163")
    site.apply("--this-host")
    assert json.loads(place.read_bytes())["host"] == site.host
    site.settles()


@pytest.mark.parametrize("folder", [STATE, f"{STATE}/records"])
@pytest.mark.parametrize("how", ["mode", "owner", "link", "file"])
def test_a_state_folder_that_others_could_have_written(site: Site, folder: str, how: str) -> None:
    place = site.root / folder
    if how == "mode":
        place.chmod(0o770)
    elif how == "owner":
        if os.geteuid() != 0:
            return  # nobody else can give a folder away
        os.chown(place, 4711, 4711)
    else:
        moved = site.root / "srv/moved"
        moved.parent.mkdir(exist_ok=True)
        place.rename(moved)
        if how == "link":
            place.symlink_to("/srv/moved")
        else:
            place.write_bytes(b"x")
    code = {"link": "HST101"}.get(how, "PLN164")
    with nothing_changes(site.root):
        refused(site, code, "plan", "drift")
        done = site.run("apply", "--auto-approve")
    assert done.code == 1 and "error[" in done.err


def test_the_rendered_tree_of_another_host(site: Site) -> None:
    shutil.copytree(site.repo / "rendered/h1", site.repo / "rendered/h2")
    site.host = "h2"
    assert "rendered/h2 is the target of h1" in refused(site, "PLN165")


def test_a_host_that_is_no_longer_declared(site: Site) -> None:
    """Its rendered tree is still there: the compile is missing."""
    (site.repo / "desired/hosts/h1.toml").unlink()
    refused(site, "PLN107")


def test_a_manifest_that_a_pull_request_brought(site: Site) -> None:
    listed = "/etc/pbx/backup-alpha.list"
    tree = site.repo / "rendered/h1"
    for victim in ("/etc/sudoers.d/alpha", "/etc/passwd", "/etc/cron.d/alpha"):
        text = (tree / "manifest.json").read_text()
        (tree / "manifest.json").write_text(text.replace(listed, victim))
        source = tree / f"root{victim}"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes((tree / f"root{listed}").read_bytes())
        with nothing_changes(site.root):
            refused(site, "PLN165")
        (tree / "manifest.json").write_text(text)


@pytest.mark.parametrize("name", ["manifest.json", "root/etc/pbx/backup-alpha.list"])
def test_a_rendered_file_without_an_end(site: Site, name: str) -> None:
    place = site.repo / "rendered/h1" / name
    (site.root / "etc/pbx/backup-alpha.list").unlink()
    place.unlink()
    place.symlink_to("/dev/zero")
    done = site.run("plan")
    assert "is a device" in done.err + done.out, done


def test_the_file_of_places_must_be_the_superusers(site: Site) -> None:
    place = site.root / "etc/pbxfleet/places"
    place.parent.mkdir(parents=True)
    place.write_text("# ours\n/etc/lists\n")
    place.chmod(0o666)
    manifest = site.repo / "rendered/h1/manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace("/etc/pbx/backup-alpha.list", "/etc/lists/alpha"))
    assert "others can write it" in refused(site, "HST100", "plan")
    place.chmod(0o644)
    assert "PLN165" not in site.run("plan").err
    place.unlink()
    refused(site, "PLN165")
