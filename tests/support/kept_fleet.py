"""A small fleet whose results are kept between runs, and the comparison with runs from scratch."""

from __future__ import annotations

import shutil
from pathlib import Path

from pbxfleet.app.compile import Compiled, _from_scratch, compile_fleet, validate_fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.host.cache import cache_of
from support.pages import laid_over

SETTLED_NS = 20_000_000  # short enough that a test sees stamps trusted, longer than a clock's grain
HOST = """\
address = "{net}.2"
reserve_address = true
addresses = ["{net}.10-{net}.60"]
cpus = "0-15"
system_cpus = "0-1"
rtp = "49152-64511"
failover_file = "/etc/pbx/failover-{{instance}}.conf"
failover_template = "{template}"
"""
NETS = {"fra1": "203.0.113", "ams1": "198.51.100", "lon1": "192.0.2"}
NAMES = ("alpha", "beta", "gamma", "delta", "echo")


class Repository:
    """A fleet of three hosts in a folder, and the accidents and edits that can happen to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.caches: list[dict[str, bytes]] = []
        for name, content in laid_over({}).items():
            if "/hosts/" not in name and "/instances/" not in name:
                self.write(name, content.decode())
        fleet = self.read("desired/fleet.toml").replace("198.51.100.10", "198.18.0.10")
        self.write("desired/fleet.toml", fleet)
        reference = self.read("desired/reference/pbx.xml").replace("198.51.100.10", "198.18.0.10")
        self.write("desired/reference/pbx.xml", reference)
        for host in NETS:
            self.host(host, "failover.conf")
        self.instance("alpha", "fra1")
        self.instance("beta", "ams1", yaml=True)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def host(self, name: str, template: str) -> None:
        text = HOST.format(net=NETS[name], template=template)
        self.write(f"desired/hosts/{name}.toml", text)

    def instance(self, name: str, host: str, *, yaml: bool = False, more: str = "") -> None:
        self.remove(name)
        if yaml:
            text = f"host: {host}\naddress: auto\ncpu: auto\nsettings: {{sys_name: {name}}}\n{more}"
            self.write(f"desired/instances/{name}.yaml", text)
        else:
            text = f'host = "{host}"\naddress = "auto"\n{more}\n[settings]\nsys_name = "{name}"\n'
            self.write(f"desired/instances/{name}.toml", text)

    def remove(self, name: str) -> None:
        for suffix in ("toml", "yaml"):
            (self.folder / f"desired/instances/{name}.{suffix}").unlink(missing_ok=True)

    def rendered(self) -> list[Path]:
        return sorted(p for p in (self.folder / "rendered").rglob("*") if p.is_file())

    @property
    def cache_folder(self) -> Path:
        """Where its results are kept."""
        return Path(str(cache_of(str(self.folder))._folder))

    def note_cache(self) -> None:
        """Remember what is kept now."""
        self.caches.append(tree(self.cache_folder))

    def pair(self, one: str, other: str) -> None:
        for name, role, peer, host in (
            (one, "primary", other, "fra1"),
            (other, "secondary", one, "lon1"),
        ):
            text = f'failover = {{ role = "{role}", peer = "{peer}" }}'
            self.instance(name, host, more=text)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def compared(compiled: Compiled) -> tuple[object, ...]:
    """What two runs of the same must have in common."""
    return (compiled.fleet.diagnostics, compiled.changed, compiled.failed, *compiled[2:])


def assert_validated_as_from_scratch(repository: Repository) -> None:
    """Validate says what it says with nothing kept."""
    validated, *_ = validate_fleet(str(repository.folder))
    assert validated.diagnostics == read_fleet(str(repository.folder)).diagnostics


def assert_as_from_scratch(repository: Repository, *, check: bool = False) -> None:
    """Validate and compile say and write what they do with nothing kept."""
    scratch = repository.folder.with_name("scratch")
    shutil.copytree(repository.folder, scratch, symlinks=True)
    assert_validated_as_from_scratch(repository)
    for checking in (True, False) if check else (False,):
        quick = compile_fleet(str(repository.folder), check=checking)
        slow = _from_scratch(str(scratch), (), check=checking)
        assert compared(quick) == compared(slow)
    assert tree(repository.folder) == tree(scratch)
    shutil.rmtree(scratch)


def cached_files(home: Path) -> list[Path]:
    """What is kept below the cache folder that `home` has."""
    return sorted(p for p in (home / "cache").rglob("*") if p.is_file())
