"""A small fleet that was applied to a folder, and what its instances change by themselves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pbxfleet.model.manifest import decode_fields
from pbxfleet.pbx.pbx_xml import edit
from support.e2e import Done, in_process
from support.pages import laid_over

HOST = "fra1"
INSTANCES = ("alpha", "beta", "gamma")
FLEET_SETTINGS = """
[defaults.settings] # of every instance
log_length = 200 # lines
greeting = "hello"
"""
BETA = """\
# Beta is a customer of long standing.
host: fra1
address: 203.0.113.11
cpu: 3   # beside the network card
listen: {sip_udp: 5070}  # their phones know it

# What it is called.
settings:
  sys_name: 'Beta'    # in quotation marks
  pw_pass: {secret: beta/admin}
failover: {role: secondary, peer: gamma}  # beta polls gamma
"""
GAMMA = """\
# Gamma says as little as it can.
host = "fra1"
address = "203.0.113.12" # the last one
failover = { role = "primary", peer = "beta" }
"""


class Site(NamedTuple):
    """A repository and a host that is as it says."""

    repo: Path
    root: Path

    def run(self, *words: str) -> Done:
        return in_process("-C", self.repo, *words)

    def adopt(self, *words: str) -> Done:
        return self.run("drift", HOST, "--root", str(self.root), "--adopt", *words)

    def pbx_xml(self, name: str) -> Path:
        return self.root / f"usr/local/pbx-{name}/pbx.xml"

    def change(self, name: str, edits: Mapping[str, str]) -> None:
        """What the administration page of an instance does."""
        path = self.pbx_xml(name)
        path.write_bytes(edit(path.read_bytes(), edits))

    def declared(self, name: str) -> dict[str, str | None]:
        content = (self.repo / f"rendered/{HOST}/settings/{name}.json").read_bytes()
        return {field.name: field.value for field in decode_fields(content)}

    def files(self, folder: str) -> dict[str, bytes]:
        top = self.repo / folder
        return {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*") if p.is_file()}


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=Operator", "-c", "user.email=operator@example.com")
    done = subprocess.run(
        ["git", "-C", str(folder), *own, *words], check=True, capture_output=True, text=True
    )
    return done.stdout


def made(folder: Path) -> Site:
    """A compiled fleet of three instances, and a host to which nothing was applied."""
    site = Site(folder / "repo", folder / "root")
    files = laid_over(
        {
            "desired/instances/beta.yaml": BETA.encode(),
            "desired/instances/gamma.toml": GAMMA.encode(),
        }
    )
    fleet = files["desired/fleet.toml"].decode()
    for name in ("pbxctrl", "pbxctrl.dat"):
        fleet = fleet.replace("0" * 64, sha256(name.encode()).hexdigest(), 1)
        files[f"artefacts/{name}"] = name.encode()
    files["desired/fleet.toml"] = (fleet + FLEET_SETTINGS).encode()
    for name, content in files.items():
        path = site.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    site.root.mkdir()
    assert site.run("compile").code == 0
    return site


def applied_site(folder: Path) -> Site:
    """The same, applied, and the repository committed."""
    site = made(folder)
    done = site.run("apply", HOST, "--root", str(site.root), "--auto-approve", "--this-host")
    assert done.code == 0, done
    git(site.repo, "init", "-q")
    git(site.repo, "add", "-A")
    git(site.repo, "commit", "-qm", "Begin")
    return site


def copied(applied: Site, folder: Path) -> Site:
    shutil.copytree(applied.repo, folder / "repo")
    shutil.copytree(applied.root, folder / "root", symlinks=True)
    return Site(folder / "repo", folder / "root")


def adopted(site: Site, *words: str) -> None:
    """Apply the patch with git, and compile."""
    done = site.adopt("--quiet", *words)
    if done.out:
        subprocess.run(
            ["git", "-C", str(site.repo), "apply", "-"], input=done.out, text=True, check=True
        )
    compiled = site.run("compile")
    assert compiled.code == 0, compiled
