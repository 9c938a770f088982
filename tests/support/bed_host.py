"""Compiled instances put onto a test host the way an administrator would copy them there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pbxfleet.model.desired import ServiceBackend
from pbxfleet.render.compile import compile_host
from support.nspawn import Bed
from support.resolved import INPUTS, Wish, host, reference
from support.standin import bound_to, configuration, make_release

PYTHON = "/usr/bin/python3"  # of the host, for the stand-in
HTTP_PORT = 18080


def wish(
    name: str,
    address: str,
    cpu: int | None = None,
    directory: str | None = None,
    *,
    peer: str = "",
    settings: Mapping[str, str] | None = None,
) -> Wish:
    """An instance that has all its listeners on its own address."""
    bound = bound_to(address) if settings is None else settings
    return Wish(name, address=address, cpu=cpu, directory=directory, peer=peer, settings=bound)


def install(
    bed: Bed, scratch: Path, services: ServiceBackend, *wishes: Wish, hardening: bool = True
) -> None:
    """Compile the instances, and put every rendered file and the release to its place."""
    release = make_release(scratch / "release", python=PYTHON)
    first = configuration(bound_to("198.51.100.10"))
    resolved = host(wishes, services, stop_timeout_s=20, hardening=hardening)
    outcome = compile_host(resolved, "bed", 1, reference(first), {}, INPUTS)
    assert outcome.value is not None, outcome.diagnostics
    for resource in outcome.value.target.resources.values():
        if resource.source.startswith("root/"):
            assert resource.mode is not None
            bed.write(resource.path, outcome.value.files[resource.source], resource.mode)
    for instance in resolved.instances:
        for file in (release.pbxctrl, release.dat):
            bed.copy_in(file, f"{instance.paths.directory}/{file.name}")


def listening(bed: Bed) -> dict[str, set[str]]:
    """Local addresses that PBX processes have bound, by working directory."""
    found: dict[str, set[str]] = {}
    for line in bed.run("ss", "-Hlntup").stdout.splitlines():
        local = line.split()[4]
        for pid in _pids(line):
            directory = _directory(bed, pid)
            if directory:
                found.setdefault(directory, set()).add(local.rpartition(":")[0].strip("[]"))
    return found


def _pids(line: str) -> list[str]:
    return [part.split(",", 1)[0] for part in line.split("pid=")[1:]]


def _directory(bed: Bed, pid: str) -> str:
    argv = bed.read(f"/proc/{pid}/cmdline").decode().split("\0")
    return argv[argv.index("--dir") + 1] if "--dir" in argv else ""
