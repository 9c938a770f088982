"""What looks like an instance and is not declared: found, named, never touched."""

from __future__ import annotations

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.model.observed import Stray
from pbxfleet.observe.strays import find_strays
from support.machine import Machine
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
