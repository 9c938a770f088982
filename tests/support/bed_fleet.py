"""A fleet of one host with two instances that are really started, for beds."""

from __future__ import annotations

import os
from pathlib import Path

from support.bed_host import PYTHON
from support.pages import BASE
from support.standin import make_release

CORE = max(os.sched_getaffinity(0))
ADDRESSES = {"alpha": "203.0.113.10", "beta": "203.0.113.11"}


def fleet(folder: Path, services: str, more: str = "") -> None:
    """A fleet of one host with two instances, one of them pinned, and their release files.

    `more` is added to the host's file.
    """
    release = make_release(folder / "artefacts", python=PYTHON)
    desired = folder / "desired"
    for path in BASE.joinpath("desired").rglob("*"):
        if path.is_file():
            target = desired / path.relative_to(BASE / "desired")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    text = (desired / "fleet.toml").read_text()
    for digest in release.sha256s.values():
        text = text.replace("0" * 64, digest, 1)
    (desired / "fleet.toml").write_text(text)
    host = (desired / "hosts/fra1.toml").read_text().replace('"0-7"', f'"0-{CORE}"')
    host = host.replace('system_cpus = "0-1"', f'services = "{services}"')
    (desired / "hosts/fra1.toml").write_text(host + more)
    for name, address in ADDRESSES.items():
        cpu = CORE if name == "beta" else '"off"'
        (desired / f"instances/{name}.toml").write_text(
            f'host = "fra1"\naddress = "{address}"\ncpu = {cpu}\n\n[settings]\nsys_name = "{name}"\n'
        )
