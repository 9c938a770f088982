"""The quick answer is the full comparison's: plan says the same with and without its list.

After an apply below a root folder `plan` may answer from one list of digests. Whatever one thing is
changed then, on the host or in the repository, both ways must come to the same plan.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.app.settled import is_settled
from support.e2e import Done, Site, copied_site, small_site

RECORD = "var/lib/pbxfleet/records/settled"
UNIT = "etc/systemd/system/pbx-alpha.service"
WANTED = "etc/systemd/system/multi-user.target.wants"
ALPHA = "usr/local/pbx-alpha"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled repository with a retired instance's predecessor, to be copied by every test."""
    site = small_site(tmp_path_factory.mktemp("compiled"))
    site.compile()
    return site.repo


@pytest.fixture
def site(tmp_path: Path, compiled: Path) -> Site:
    """A host on which nothing is to be done, and of which the quick answer knows that."""
    site = copied_site(tmp_path, compiled)
    site.apply()
    assert is_settled(str(site.repo), site.host, str(site.root))
    return site


def same_size(path: Path) -> None:
    """Other bytes, as many, under the old times."""
    seen = path.stat()
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def replaced(path: Path) -> None:
    """Another file with the same bytes, mode and times."""
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.rename(path)


def as_link(path: Path) -> None:
    """The same bytes behind a symbolic link."""
    moved = path.with_name(path.name + ".moved")
    path.rename(moved)
    path.symlink_to(moved.name)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def new_file(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def enable_by_copy(link: Path, unit: Path) -> None:
    """A file where the link was, which leads out of the root folder: never to be written through."""
    link.unlink()
    shutil.copy(unit, link)


STARTS = "[Service]\nExecStart=/usr/local/pbx-x/pbxctrl\n"
ON_HOST: dict[str, Callable[[Path], object]] = {
    "nothing": lambda root: None,
    "a unit of the same size": lambda root: same_size(root / UNIT),
    "a unit written again": lambda root: replaced(root / UNIT),
    "a unit's mode": lambda root: (root / UNIT).chmod(0o600),
    "no unit": lambda root: (root / UNIT).unlink(),
    "a unit as a link": lambda root: as_link(root / UNIT),
    "a unit as a folder": lambda root: as_folder(root / UNIT),
    "not enabled": lambda root: (root / WANTED / "pbx-alpha.service").unlink(),
    "enabled by a copy": lambda root: enable_by_copy(
        root / WANTED / "pbx-alpha.service", root / UNIT
    ),
    "nothing enabled": lambda root: shutil.rmtree(root / WANTED),
    "a unit more": lambda root: new_file(root / "etc/systemd/system/pbx-x.service", STARTS),
    "another's unit": lambda root: new_file(root / "etc/systemd/system/x.service", "[Service]\n"),
    "no units at all": lambda root: shutil.rmtree(root / "etc/systemd"),
    "a file of the host": lambda root: same_size(root / "etc/pbx/backup.list"),
    "a file more": lambda root: new_file(root / "etc/pbx/x", "x"),
    "an instance more": lambda root: new_file(root / "usr/local/pbx-x/pbx.xml", "<config/>"),
    "an executable more": lambda root: new_file(root / "usr/local/x/pbxctrl"),
    "a folder more": lambda root: (root / "usr/local/share").mkdir(),
    "an executable of the same size": lambda root: same_size(root / ALPHA / "pbxctrl"),
    "an executable's mode": lambda root: (root / ALPHA / "pbxctrl").chmod(0o700),
    "an executable's mode and back": lambda root: [
        (root / ALPHA / "pbxctrl").chmod(mode) for mode in (0o700, 0o755)
    ],
    "no executable": lambda root: (root / ALPHA / "pbxctrl").unlink(),
    "resources written again": lambda root: replaced(root / ALPHA / "pbxctrl.dat"),
    "an owned setting": lambda root: edit(root / ALPHA / "pbx.xml", ">Alpha<", ">alpha<"),
    "a seeded setting": lambda root: edit(root / ALPHA / "pbx.xml", ">200<", ">300<"),
    "a foreign setting": lambda root: edit(root / ALPHA / "pbx.xml", "Berlin", "Vienna"),
    "settings out of order": lambda root: edit(
        root / ALPHA / "pbx.xml", "  <pw_user>admin</pw_user>\n", ""
    ),
    "settings that cannot be read": lambda root: edit(root / ALPHA / "pbx.xml", "</config>", ""),
    "no settings": lambda root: (root / ALPHA / "pbx.xml").unlink(),
    "the mode of settings": lambda root: (root / ALPHA / "pbx.xml").chmod(0o644),
    "no instance": lambda root: shutil.rmtree(root / ALPHA),
    "an instance behind a link": lambda root: as_link(root / ALPHA),
    "an unfinished run": lambda root: new_file(
        root / "var/lib/pbxfleet/journal", '{"event":"begin"}\n'
    ),
    "no record of an instance": lambda root: (
        root / "var/lib/pbxfleet/records/applied/alpha"
    ).unlink(),
    "a damaged record": lambda root: new_file(root / "var/lib/pbxfleet/records/applied/alpha", "{"),
    "no record of the host": lambda root: (
        root / "var/lib/pbxfleet/records/applied/_host"
    ).unlink(),
    "a folder that is open for all": lambda root: (root / "etc/pbx").chmod(0o777),
}
IN_REPOSITORY: dict[str, Callable[[Path], object]] = {
    "a comment": lambda repo: edit(repo / "desired/fleet.toml", "# A host", "# The host"),
    "a value": lambda repo: edit(repo / "desired/instances/beta.yaml", "Beta", "beta"),
    "the host": lambda repo: edit(repo / "desired/hosts/h1.toml", "113.19", "113.18"),
    "the reference": lambda repo: same_size(repo / "desired/reference/pbx.xml"),
    "no instance file": lambda repo: (repo / "desired/instances/beta.yaml").unlink(),
    "a new instance": lambda repo: new_file(repo / "desired/instances/new.toml", 'host = "h1"\n'),
    "a new host": lambda repo: new_file(repo / "desired/hosts/h2.toml", "addresses = []\n"),
    "no ledger": lambda repo: (repo / "desired/ledger.toml").unlink(),
    "no desired files": lambda repo: shutil.rmtree(repo / "desired"),
    "the manifest": lambda repo: edit(
        repo / "rendered/h1/manifest.json", '"deletion_budget": 1', '"deletion_budget": 2'
    ),
    "no manifest": lambda repo: (repo / "rendered/h1/manifest.json").unlink(),
    "a rendered file": lambda repo: same_size(repo / "rendered/h1/root/etc/pbx/backup.list"),
    "no declared settings": lambda repo: shutil.rmtree(repo / "rendered/h1/settings"),
    "no release files": lambda repo: shutil.rmtree(repo / "artefacts"),
}


def answers(site: Site) -> list[Done]:
    return [site.run("plan", *words) for words in (("--json",), ("--detailed-exitcode",))]


def agree(site: Site) -> None:
    """With the list and without it plan says the same, in every form."""
    record = site.root / RECORD
    kept = record.with_name("kept-elsewhere")
    with_list = answers(site)
    record.rename(kept)
    without_list = answers(site)
    kept.rename(record)
    assert with_list == without_list


@pytest.mark.parametrize("change", ON_HOST)
def test_one_change_on_the_host(site: Site, change: str) -> None:
    ON_HOST[change](site.root)
    agree(site)


@pytest.mark.parametrize("change", IN_REPOSITORY)
def test_one_change_in_the_repository(site: Site, change: str) -> None:
    IN_REPOSITORY[change](site.repo)
    agree(site)


def test_a_rendered_tree_alone_with_another_target(site: Site) -> None:
    """Where desired/ is not, only the manifest tells that something else is declared now."""
    site.edit("desired/instances/beta.yaml", "Beta", "Second")
    site.compile()
    shutil.rmtree(site.repo / "desired")
    agree(site)
    assert site.plan()["outcome"] == "differences"


def test_another_owner(site: Site) -> None:
    if os.geteuid() == 0:  # nobody else can give files away
        os.chown(site.root / UNIT, 4711, 4711)
        assert site.plan()["outcome"] == "differences"
    agree(site)


def test_a_retired_instance(site: Site) -> None:
    """Its directory is still known, and what becomes of it is nobody's work."""
    site.edit("desired/fleet.toml", "deletion_budget = 1", "deletion_budget = 2")
    (site.repo / "desired/instances/beta.yaml").unlink()
    site.compile()
    site.apply()
    assert is_settled(str(site.repo), site.host, str(site.root))
    agree(site)
    shutil.rmtree(site.root / "usr/local/pbx-beta")
    agree(site)


def test_another_repository_on_the_same_host(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path)
    other.as_process = False
    other.repo = tmp_path / "other"
    shutil.copytree(site.repo, other.repo)
    other.edit("desired/instances/beta.yaml", "Beta", "Third")
    other.compile()
    agree(other)
    other.apply()
    agree(other)
    agree(site)
    assert site.plan()["outcome"] == "differences"
