"""Nobody who can write into a managed folder decides where we write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.files import Files
from pbxfleet.host.local import LocalHost
from pbxfleet.host.owners import Owners
from pbxfleet.host.rooted import SYSTEM_LINKS, Root, only_root_made_it
from pbxfleet.model.observed import What
from support.beds import require_root

P = HostPath
SOURCE = __file__

EFFECTS: dict[str, Callable[[LocalHost, HostPath], object]] = {
    "write": lambda h, d: h.write(P(f"{d}/pbx.xml"), b"ours", 0o600, ""),
    "write keeping": lambda h, d: h.write(P(f"{d}/pbx.xml"), b"ours", None, ""),
    "copy": lambda h, d: h.copy_in(
        P(f"{d}/pbx.xml"), SOURCE, digest_of(Path(SOURCE).read_bytes()), 0o755, ""
    ),
    "append": lambda h, d: h.append(P(f"{d}/pbx.xml"), b"ours"),
    "attributes": lambda h, d: h.set_attributes(P(f"{d}/pbx.xml"), 0o777, ""),
    "remove": lambda h, d: h.remove(P(f"{d}/pbx.xml")),
    "directory": lambda h, d: h.make_directory(P(f"{d}/new/deeper"), 0o755, ""),
    "existing directory": lambda h, d: h.make_directory(d, 0o755, ""),
    "link": lambda h, d: h.make_link(P(f"{d}/pbx.xml"), "x"),
    "swap": lambda h, d: h.swap(P(f"{d}/pbx.xml"), b"foreign", b"ours", 0o644, ""),
    "keep": lambda h, d: h.keep(P(f"{d}/pbx.xml"), P("/kept")),
    "keep there": lambda h, d: h.keep(P("/ours"), P(f"{d}/kept")),
    "move": lambda h, d: h.move_directory(P(f"{d}/sub"), P(f"{d}/moved")),
    "archive": lambda h, d: h.archive(d, P("/folder/a.tar")),
    "archive there": lambda h, d: h.archive(P("/folder"), P(f"{d}/new/a.tar")),
    "log": lambda h, d: os.close(h.open_log(P(f"{d}/pbx.xml"))),
    "lock": lambda h, d: os.close(h.open_lock(P(f"{d}/new.lock"))),
}


def everything(folder: Path) -> list[tuple[str, int, int, bytes]]:
    """Every name below a folder with mode, inode and content."""
    return [
        (
            str(path),
            path.lstat().st_mode,
            path.lstat().st_ino,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(folder.rglob("*"))
    ]


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(
    ("planted", "target", "directory"),
    [
        ("usr/local/pbx-a", "{outside}", "/usr/local/pbx-a"),
        ("usr/local/pbx-a", "../../../outside", "/usr/local/pbx-a"),
        ("usr/local/pbx-a", "pbx-b", "/usr/local/pbx-a"),  # another instance's own
        ("usr/local/pbx-a", "/usr/local/pbx-b", "/usr/local/pbx-a"),
        ("usr/local", "{outside}", "/usr/local/pbx-a"),
        ("usr", "{outside}", "/usr/local/pbx-a"),
        ("var/run", "{outside}", "/var/run"),  # a system's link, but not where it leads
        ("etc/init.d", "../usr/local/pbx-b", "/etc/init.d"),
    ],
)
def test_no_effect_follows_a_planted_link(
    tmp_path: Path, planted: str, target: str, directory: str, effect: str
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (outside / "local" / "pbx-a", outside / "pbx-a", root / "usr/local/pbx-b"):
        folder.mkdir(parents=True)
    for folder in (outside, outside / "local/pbx-a", outside / "pbx-a", root / "usr/local/pbx-b"):
        (folder / "pbx.xml").write_bytes(b"foreign")
    (root / "folder").mkdir()
    (root / "ours").write_bytes(b"ours")
    link = root / planted
    if link.is_dir():  # `usr` and `usr/local` exist with the other instance in them
        link.rename(tmp_path / "moved")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target.format(outside=outside))
    before = everything(tmp_path)
    with pytest.raises(HostError) as refusal:
        EFFECTS[effect](LocalHost(str(root), "direct"), P(directory))
    assert refusal.value.code == "HST101"
    assert everything(tmp_path) == before


@pytest.mark.parametrize("effect", [name for name in EFFECTS if name != "existing directory"])
def test_a_directory_that_is_swapped_for_a_link_meanwhile_is_noticed(
    tmp_path: Path, effect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "usr/local/pbx-a", outside):
        folder.mkdir(parents=True)
        (folder / "pbx.xml").write_bytes(b"foreign")
    (root / "folder").mkdir()
    (root / "ours").write_bytes(b"ours")
    host = LocalHost(str(root), "direct")
    resolve = Root._resolve

    def swap_after(self: Root, path: str, hops: int, *, trusting: bool) -> str:
        found = resolve(self, path, hops, trusting=trusting)
        place = root / "usr/local/pbx-a"
        if not trusting and path == "/usr/local/pbx-a" and not place.is_symlink():
            place.rename(root / "usr/local/moved")
            place.symlink_to(outside)
        return found

    monkeypatch.setattr(Root, "_resolve", swap_after)
    with pytest.raises(HostError) as refusal:
        EFFECTS[effect](host, P("/usr/local/pbx-a"))
    assert refusal.value.code == "HST101"
    assert everything(outside) == [
        (str(outside / "pbx.xml"), *everything(outside)[0][1:3], b"foreign")
    ]


@pytest.mark.parametrize(("link", "target"), sorted(SYSTEM_LINKS.items()))
@pytest.mark.parametrize("relative", [True, False])
def test_the_links_of_a_system_are_followed_below_the_root(
    tmp_path: Path, link: str, target: str, relative: bool
) -> None:
    host = LocalHost(str(tmp_path), "direct")
    host.make_directory(P(target), 0o755, "")
    host.make_directory(P(os.path.dirname(link)), 0o755, "")
    text = os.path.relpath(target, os.path.dirname(link)) if relative else target
    (tmp_path / link.lstrip("/")).symlink_to(text)
    host.write(P(f"{link}/f"), b"content", 0o600, "")
    assert (tmp_path / target.lstrip("/") / "f").read_bytes() == b"content"
    assert host.read(P(f"{link}/f")) == b"content"
    assert host.names(P(link)) == ("f",)
    assert host.look(P(link)).what is What.SYMLINK


def test_reads_follow_links_inside_the_root_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    (root / "data" / "f").write_bytes(b"inside")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "f").write_bytes(b"outside")
    (root / "absolute").symlink_to("/data")
    (root / "up").symlink_to("../../../../../../../../data")
    (root / "out").symlink_to(tmp_path / "data")
    (root / "round").symlink_to("round")
    host = LocalHost(str(root), "direct")
    assert host.read(P("/absolute/f")) == host.read(P("/up/f")) == b"inside"
    assert host.read(P("/out/f")) is None
    with pytest.raises(HostError):
        host.read(P("/round/f"))


class TestTheMachinesOwnRoot:
    """Under `/` a link is followed that only the superuser can have made."""

    @pytest.mark.parametrize(
        ("link_owner", "folder_owner", "folder_mode", "followed"),
        [
            (0, 0, 0o40755, True),
            (0, 0, 0o40775, False),
            (0, 0, 0o40757, False),
            (0, 0, 0o41777, False),  # /tmp: the sticky bit does not make it root's
            (0, 1000, 0o40755, False),
            (1000, 0, 0o40755, False),
        ],
    )
    def test_the_rule(
        self, link_owner: int, folder_owner: int, folder_mode: int, followed: bool
    ) -> None:
        link = os.stat_result((0o120777, 1, 1, 1, link_owner, 0, 0, 0, 0, 0))
        folder = os.stat_result((folder_mode, 1, 1, 1, folder_owner, 0, 0, 0, 0, 0))
        assert only_root_made_it(link, folder) is followed

    def test_an_administrators_link_is_followed_and_a_planted_one_is_not(
        self, tmp_path: Path
    ) -> None:
        require_root("links of another user")
        files = Files(Root(str(tmp_path), is_machine=True), Owners())
        for name in ("data", "usr", "home"):
            (tmp_path / name).mkdir(mode=0o755)
        (tmp_path / "usr" / "local").symlink_to("../data")
        (tmp_path / "home" / "link").symlink_to("../data")
        os.chown(tmp_path / "home" / "link", 1000, 1000, follow_symlinks=False)
        files.write(P("/usr/local/f"), b"ours", 0o600, "")
        assert (tmp_path / "data" / "f").read_bytes() == b"ours"
        for place in ("link", "swapped"):
            if place == "swapped":
                os.chown(tmp_path / "home", 1000, 1000)
                (tmp_path / "home" / place).symlink_to("../data")
            with pytest.raises(HostError) as refusal:
                files.write(P(f"/home/{place}/f"), b"theirs", 0o600, "")
            assert refusal.value.code == "HST101"
        assert (tmp_path / "data" / "f").read_bytes() == b"ours"
