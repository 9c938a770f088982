"""What looks like an instance and is not declared: found, named, never touched."""

from __future__ import annotations

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.model.observed import Stray
from pbxfleet.observe.strays import find_strays
from pbxfleet.plan.drift import drift_items
from support.machine import Look, Machine, apply_to
from support.targets import Wish, fleet

INSTANCES = tuple(
    fleet(Wish("alpha"), Wish("beta", directory="/usr/local/pbx")).target.instances.values()
)


def machine(**files: str) -> Machine:
    host = Machine()
    for path, text in files.items():
        place = HostPath(path)
        host.make_directory(HostPath(path.rpartition("/")[0]), 0o755, "root:root")
        host.write(place, text.encode(), 0o644, "root:root")
    return host


def strays(
    host: Machine, services: str = "direct", files: tuple[str, ...] = ()
) -> tuple[Stray, ...]:
    return find_strays(host, services, files, INSTANCES)


def test_directories_beside_every_declared_one_are_looked_at() -> None:
    host = machine(
        **{
            "/srv/pbx-alpha/pbx.xml": "",
            "/srv/pbx-zulu/pbx.xml": "",
            "/usr/local/pbx-old/pbxctrl": "",
            "/usr/local/bin/tool": "",
            "/opt/pbx-far/pbx.xml": "",
        }
    )
    assert strays(host) == (
        Stray("/srv/pbx-zulu", "holds pbx.xml and is not declared"),
        Stray("/usr/local/pbx-old", "holds pbxctrl and is not declared"),
    )


def test_a_directory_of_that_name_is_no_mark() -> None:
    host = machine(**{"/srv/notes/pbx.xml/readme": ""})
    assert strays(host) == ()


def test_units_that_start_the_pbx_and_are_not_ours() -> None:
    unit = "/etc/systemd/system/"
    host = machine(
        **{
            f"{unit}pbx-alpha.service": "ExecStart=/srv/pbx-alpha/pbxctrl",
            f"{unit}pbx-old.service": "ExecStart=/opt/pbxctrl",
            f"{unit}pbx-tools.service": "ExecStart=/bin/true",
            f"{unit}sshd.service": "ExecStart=/opt/pbxctrl",
            "/etc/init.d/pbx": "pbxctrl",
        }
    )
    ours = (f"{unit}pbx-alpha.service",)
    assert strays(host, "systemd", ours) == (
        Stray(f"{unit}pbx-old.service", "starts pbxctrl and is not declared"),
    )
    assert strays(host, "sysv") == (Stray("/etc/init.d/pbx", "starts pbxctrl and is not declared"),)
    assert strays(host, "direct") == ()


def test_a_unit_that_is_a_link_or_a_folder_is_not_read() -> None:
    host = machine()
    host.make_link(HostPath("/etc/systemd/system/pbx-x.service"), "/dev/null")
    host.make_directory(HostPath("/etc/systemd/system/pbx-y.service.d"), 0o755, "root:root")
    assert strays(host, "systemd") == ()


def test_pieces_that_commands_of_systemd_write() -> None:
    """`systemctl edit --runtime` and `systemctl set-property` leave them in folders of their own."""
    folders = ("/etc/systemd/system.control", "/run/systemd/system", "/run/systemd/system.control")
    paths = [f"{folder}/pbx-alpha.service.d/50-x.conf" for folder in folders]
    others = ("/run/systemd/system/service.d/zzz.conf", "/run/systemd/system/ssh.service.d/x.conf")
    host = machine(**dict.fromkeys((*paths, *others), "[Service]"))
    assert strays(host, "systemd") == tuple(
        Stray(path, "changes pbx-alpha and is not declared") for path in paths
    )
    assert strays(host, "sysv") == ()


class Forbidden(Machine):
    """Nobody may look into anything but the root folder."""

    def names(self, directory: HostPath) -> tuple[str, ...]:
        if directory == "/usr/local":
            raise HostError(directory, "permission denied", 13)
        return super().names(directory)

    def identity(self, path: HostPath) -> tuple[int, int, int, int, int] | None:
        raise HostError(path, "permission denied", 13)

    def read(self, path: HostPath) -> bytes | None:
        raise HostError(path, "permission denied", 13)


def test_what_may_not_be_looked_at_is_not_reported_and_no_error() -> None:
    host = Forbidden()
    host.make_directory(HostPath("/srv/pbx-zulu"), 0o755, "root:root")
    host.write(HostPath("/etc/systemd/system/pbx-x.service"), b"pbxctrl", 0o600, "root:root")
    assert find_strays(host, "systemd", (), INSTANCES) == ()


def test_pieces_of_units_that_somebody_else_put_there() -> None:
    folder = "/etc/systemd/system/"
    ours = f"{folder}pbx-alpha.service.d/50-pbxfleet-source.conf"
    theirs = f"{folder}pbx-alpha.service.d/override.conf"
    every = f"{folder}pbx-.service.d/limits.conf"
    others = (f"{folder}sshd.service.d/x.conf", f"{folder}pbx-alpha.service.d/readme.txt")
    host = machine(**dict.fromkeys((ours, theirs, every, *others), "[Service]\nNice=5\n"))
    assert strays(host, "systemd", (ours,)) == (
        Stray(every, "changes every instance and is not declared"),
        Stray(theirs, "changes pbx-alpha and is not declared"),
    )
    assert strays(host, "sysv", (ours,)) == strays(machine(), "systemd") == ()


def test_a_piece_of_a_unit_is_drift_of_the_class_extra() -> None:
    host = Machine("systemd")
    assert not apply_to(fleet(Wish("alpha"), services="systemd"), host).failure
    folder = HostPath("/etc/systemd/system/pbx-alpha.service.d")
    host.make_directory(folder, 0o755, "root:root")
    host.write(HostPath(f"{folder}/override.conf"), b"[Service]\nNice=5\n", 0o644, "root:root")
    look = Look(fleet(Wish("alpha"), services="systemd"), host)
    (item,) = drift_items(look.difference, look.observed)
    assert (item.kind, item.resource) == ("extra", f"path:{folder}/override.conf")
    assert look.plan.steps == (), "it is named, and never touched"
