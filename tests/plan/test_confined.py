"""A manifest that names what compile does not make is not used: a table of attacks, and the golden ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.core.places import PLACES_FILE, is_directory_of_ours, is_ours
from pbxfleet.model.guards import Guards
from pbxfleet.model.manifest import decode
from pbxfleet.model.target import Impact, InstanceTarget, Kind, Resource, Target
from pbxfleet.plan.confined import UNITS, problems
from pbxfleet.resolve.paths import _UNITS
from support.targets import Wish, fleet
from support.tree import ROOT

MANIFESTS = sorted(
    [
        *ROOT.glob("rendered/*/manifest.json"),
        *ROOT.glob("tests/render/golden/*/expected/manifest.json"),
    ]
)

OF_ROOT, HOMES = "/" + "root", "/" + "home"


@pytest.mark.parametrize("place", MANIFESTS, ids=lambda p: f"{p.parts[-3]}-{p.parts[-2]}")
def test_what_compile_makes_is_used(place: Path) -> None:
    target = decode(place.read_bytes())
    if target.services != "windows":  # nothing is applied there
        assert list(problems(target)) == []


def test_units_lie_where_compile_puts_them() -> None:
    known = {str(kind.value): template for kind, template in _UNITS.items() if template}
    assert {k: v.replace("{}", "{service}") for k, v in UNITS.items()} == known


def target() -> Target:
    return fleet(Wish("alpha"), Wish("beta", "192.0.2.11"), services="systemd").target


def with_file(path: str, instance: str = "", mode: int = 0o644) -> Callable[[Target], Target]:
    def change(known: Target) -> Target:
        resource = Resource(
            f"file:{path}", Kind.FILE, HostPath(path), instance, mode, "root:root",
            known.digest, Impact.NONE, f"root{path}", None, (),
        )  # fmt: skip
        return known._replace(resources={**known.resources, resource.id: resource})

    return change


def with_alpha(**values: object) -> Callable[[Target], Target]:
    def change(known: Target) -> Target:
        alpha: InstanceTarget = known.instances["alpha"]._replace(**values)
        return known._replace(instances={**known.instances, "alpha": alpha})

    return change


def with_resource(resource_id: str, **values: object) -> Callable[[Target], Target]:
    def change(known: Target) -> Target:
        resource: Resource = known.resources[resource_id]._replace(**values)
        return known._replace(resources={**known.resources, resource_id: resource})

    return change


PLACES = [
    f"{OF_ROOT}/.ssh/authorized_keys",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/sudoers.d/pbx",
    "/etc/cron.d/pbx",
    "/etc/profile.d/pbx.sh",
    "/etc/ld.so.preload",
    "/etc/systemd/system/sshd.service",
    "/etc/systemd/system/pbx-alpha.service.d/evil.conf",
    "/etc/systemd/system/multi-user.target.d/evil.conf",
    "/etc/systemd/network/x.d/y/50-pbxfleet.conf",
    "/etc/init.d/ssh",
    "/etc/pbxfleet/places",
    f"{HOMES}/admin/.ssh/authorized_keys",
    f"{HOMES}/admin/.bashrc",
    "/srv/data/.profile",
    "/usr/bin/sudo",
    "/usr/local/bin/sudo",
    "/usr/local/sbin/x",
    "/usr/share/x",
    "/bin/sh",
    "/lib/x.so",
    "/boot/vmlinuz",
    "/dev/sda",
    "/proc/sys/kernel/core_pattern",
    "/sys/x",
    "/run/x",
    "/var/spool/cron/crontabs/root",
    "/var/lib/pbxfleet/records/applied/alpha",
    "/var/lib/pbxfleet",
    "/var/log/x",
    "/usr",
    "/srv/pbx-beta/pbx.xml.bak",
    "/srv/pbx-beta/pbxctrl",
]
CHANGES: dict[str, Callable[[Target], Target]] = {
    **{f"file {path}": with_file(path) for path in PLACES},
    **{f"alpha's file {path}": with_file(path, "alpha") for path in PLACES},
    "a unit of the other": with_file("/etc/systemd/system/pbx-beta.service", "alpha"),
    "an init script under systemd": with_file("/etc/init.d/pbx-alpha", "alpha"),
    "a settings file as a file": with_file("/srv/pbx-alpha/pbx.xml", "alpha"),
    "set-user-ID": with_file("/etc/pbx/x", "", 0o4755),
    "writable by all": with_file("/etc/pbx/x", "", 0o666),
    "a directory of the system": with_alpha(directory=HostPath("/etc/cron.d")),
    "the whole of /srv": with_alpha(directory=HostPath("/srv")),
    "the state folder as a directory": with_alpha(directory=HostPath("/var/lib/pbxfleet/x")),
    "another executable": with_alpha(executable=HostPath("/bin/sh")),
    "the directory of the other": with_alpha(directory=HostPath("/srv/pbx-beta")),
    "a PID file that is none": with_alpha(pid_file=HostPath("/etc/passwd")),
    "a service with a path": with_alpha(service="../../tmp/x"),
    "a service that is an option": with_alpha(service="--help"),
    "a service of the system": with_alpha(service="ssh"),
    "a service with a command": with_alpha(service="pbx-alpha; reboot"),
    "a name with a path": with_alpha(name="../alpha"),
    "a name with a line": with_alpha(name="a\nb"),
    "a name with a specifier": with_alpha(name="%n"),
    "a name in capitals": with_alpha(name="Alpha"),
    "release files elsewhere": with_resource(
        "artefact:/srv/pbx-alpha/pbxctrl", path=HostPath("/usr/sbin/sshd")
    ),
    "release files of the other": with_resource(
        "artefact:/srv/pbx-alpha/pbxctrl", path=HostPath("/srv/pbx-beta/pbxctrl")
    ),
    "another name for a release file": with_resource(
        "artefact:/srv/pbx-alpha/pbxctrl", path=HostPath("/srv/pbx-alpha/sh")
    ),
    "pbx.xml elsewhere": with_resource(
        "settings:/srv/pbx-alpha/pbx.xml", path=HostPath("/etc/pbx/pbx.xml")
    ),
    "pbx.xml for all to read": with_resource("settings:/srv/pbx-alpha/pbx.xml", mode=0o644),
    "a directory elsewhere": with_resource(
        "directory:/srv/pbx-alpha", path=HostPath("/srv/pbx-gamma")
    ),
    "a file from outside the tree": with_resource(
        "file:/etc/pbx/backup-alpha.list", source="../../../../etc/shadow"
    ),
    "an artefact of the host": with_resource("artefact:/srv/pbx-alpha/pbxctrl", instance=""),
    "a program that is none": lambda t: t._replace(services="compose", program="/bin/evil"),
    "services that are none": lambda t: t._replace(services="at"),
    "archives in /etc": lambda t: t._replace(
        guards=Guards(removed_directory="archive", archives=HostPath("/etc/cron.d"))
    ),
}


@pytest.mark.parametrize("attack", CHANGES)
def test_a_forged_target_is_noticed(attack: str) -> None:
    known = target()
    assert list(problems(known)) == []
    assert list(problems(CHANGES[attack](known))) != []


@pytest.mark.parametrize(
    "path",
    [
        "/etc/pbx/backup-alpha.list",
        "/etc/pbxfleet/source-alpha.nft",
        "/srv/lists/alpha",
        "/opt/backup/alpha.list",
        "/data/x",
        "/var/backups/alpha.list",
        "/var/lib/vodia/alpha.list",
        "/usr/local/pbx-lists/alpha",
        f"{HOMES}/backup/alpha.list",
    ],
)
def test_the_administrators_places_are_his(path: str) -> None:
    assert is_ours(path)


def test_the_host_itself_may_allow_more() -> None:
    path = "/etc/backup/lists/alpha"
    assert not is_ours(path)
    assert is_ours(path, ["/etc/backup/lists"])
    assert not is_ours(PLACES_FILE, ["/etc"]), "never the file that says so"
    assert list(problems(with_file(path)(target()), ["/etc/backup"])) == []


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/usr/local/pbx", True),
        ("/usr/local/pbx-acme", True),
        ("/var/lib/vodia/acme", True),
        ("/opt/pbx", True),
        (f"{HOMES}/pbx/acme", True),
        ("/pbx", True),
        ("/usr/local", False),
        ("/usr/local/bin", False),
        ("/usr/lib/x", False),
        ("/var", False),
        ("/var/lib", False),
        ("/var/spool/x", False),
        (HOMES, False),
        ("/srv", False),
        ("/etc/pbx", False),
        (f"{OF_ROOT}/pbx", False),
    ],
)
def test_directories_of_instances(path: str, *, ours: bool) -> None:
    assert is_directory_of_ours(path) is ours
