"""`pbxfleet release` as people run it: the store, downloads over real TLS, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pbxfleet.schema.outputs import document_of
from support.e2e import Site, environment, nothing_changes, run, small_site
from support.https import CA, Server, https
from support.output_schemas import judge

CTRL, DAT = b"#!/bin/sh\n# release 70.7\n" * 50, b"version 70.7\n"
LIST = """<?xml version="1.0"?>
<files>
 <file name="pbxctrl" os="Debian64" type="executable" link="{url}/pbxctrl"/>
 <file name="pbxctrl.dat" link="{url}/pbxctrl.dat"/>
 <file name="pbxctrl.exe" os="Win64" type="executable" link="http://127.0.0.1/pbxctrl.exe"/>
</files>
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with https() as server:
        server.files |= {"/pbxctrl": CTRL, "/pbxctrl.dat": DAT}
        server.files["/version-70.7.xml"] = LIST.format(url=server.url("")).encode()
        yield server


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Commands run in this process, to be quick; those that need one of their own say so."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CA))
    site = small_site(tmp_path)
    site.env = environment(SSL_CERT_FILE=str(CA))
    site.as_process = False
    return site


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def pin(site: Site, pbxctrl: str, dat: str, ctrl_digest: str = "", dat_digest: str = "") -> None:
    """Declare the release 70.7 with these sources."""
    fleet = site.repo / "desired/fleet.toml"
    text = (
        fleet.read_text(encoding="utf-8")
        + f"""
[releases."70.7"]
pbxctrl = {{ source = "{pbxctrl}", sha256 = "{ctrl_digest or digest(CTRL)}" }}
dat = {{ source = "{dat}", sha256 = "{dat_digest or digest(DAT)}" }}
reference = "reference/pbx.xml"
"""
    )
    fleet.write_text(text, encoding="utf-8")


def stored(site: Site) -> dict[str, bytes]:
    folder = site.repo / "artefacts"
    if not folder.is_dir():
        return {}
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def ours(site: Site) -> dict[str, bytes]:
    """What lies in the store under a digest, or unfinished."""
    return {n: c for n, c in stored(site).items() if len(n) == 64 or n.startswith(".")}


def test_fetch_brings_what_is_pinned_and_only_once(site: Site, server: Server) -> None:
    site.as_process = True
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"))
    assert site.run("release", "verify").code == 2
    site.ok("release", "fetch", "70.7")
    assert ours(site) == {digest(CTRL): CTRL, digest(DAT): DAT}
    assert site.ok("release", "verify").err.startswith("6 of 6 pinned files")
    asked = len(server.asked)
    with nothing_changes(site.repo):
        site.ok("release", "fetch")
    assert len(server.asked) == asked


@pytest.mark.parametrize("path", ["/cut", "/cut-in-pieces", "/to-http", "/large", "/gone"])
def test_one_file_that_cannot_be_had_leaves_nothing_and_keeps_no_other_from_coming(
    site: Site, server: Server, path: str
) -> None:
    pin(site, server.url(path), server.url("/pbxctrl.dat"))
    done = site.run("release", "fetch", "70.7")
    assert done.code == 1
    assert done.err.startswith("error[REL110]: 70.7 pbxctrl: https://127.0.0.1")
    assert ours(site) == {digest(DAT): DAT}


def test_another_digest_than_the_pinned_one_is_not_stored(site: Site, server: Server) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"), ctrl_digest="0" * 64)
    done = site.run("release", "fetch", "--json")
    assert done.code == 1
    (wrong,) = [f for f in done.data["files"] if f["state"] == "failed"]
    assert wrong["code"] == "REL111"
    assert digest(CTRL) in wrong["message"]
    assert ours(site) == {digest(DAT): DAT}


def test_a_store_that_is_full_keeps_what_it_had(site: Site, server: Server) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"))
    site.as_process = True
    # Python would put down half-written bytecode of its own under this limit, for all later runs.
    without_bytecode = ("env", "PYTHONDONTWRITEBYTECODE=1")
    site.prefix = (*without_bytecode, "prlimit", f"--fsize={len(CTRL) - 1}")
    done = site.run("release", "fetch", "70.7")
    assert done.code == 1
    assert "File too large" in done.err
    assert ours(site) == {digest(DAT): DAT}


def test_a_limit_of_size_can_be_chosen(site: Site, server: Server) -> None:
    server.files["/big"] = bytes(3 << 20)
    pin(site, server.url("/big"), server.url("/pbxctrl.dat"), ctrl_digest=digest(bytes(3 << 20)))
    done = site.run("release", "fetch", "--largest", "2")
    assert "has 3145728 bytes, at most 2097152 are taken" in done.err
    site.ok("release", "fetch", "--largest", "3")


def test_add_pins_two_files_and_writes_them_into_the_fleet(site: Site, tmp_path: Path) -> None:
    for name, content in (("pbxctrl-x", CTRL), ("pbxctrl-x.dat", DAT)):
        (tmp_path / name).write_bytes(content)
    words = ("release", "add", "70.7", tmp_path / "pbxctrl-x.dat", tmp_path / "pbxctrl-x")
    printed = site.ok(*words)
    before = (site.repo / "desired/fleet.toml").read_text(encoding="utf-8")
    site.ok(*words, "--write")
    assert (site.repo / "desired/fleet.toml").read_text(encoding="utf-8") == before + printed.out
    assert ours(site) == {digest(CTRL): CTRL, digest(DAT): DAT}
    site.ok("validate", "--quiet")
    listed = {r["name"]: r for r in site.ok("release", "list", "--json").data["releases"]}
    assert listed["70.7"]["instances"] == []
    assert {f["state"] for f in listed["70.7"]["files"]} == {"here"}
    again = site.run(*words)
    assert (again.code, again.err.count("is declared already")) == (1, 1)


def test_add_from_addresses_that_the_vendors_list_proposes(site: Site, server: Server) -> None:
    done = site.ok(
        "release", "manifest", server.url("/version-70.7.xml"), "--os", "Debian64", "--json"
    )
    sources = done.data["sources"]
    assert sources == {"pbxctrl": server.url("/pbxctrl"), "pbxctrl.dat": server.url("/pbxctrl.dat")}
    added = site.ok("release", "add", "70.7", *sources.values())
    assert f'source = "{server.url("/pbxctrl")}", sha256 = "{digest(CTRL)}"' in added.out
    assert digest(DAT) in added.err


def test_nothing_is_proposed_that_the_list_does_not_say(site: Site, server: Server) -> None:
    address = server.url("/version-70.7.xml")
    done = site.ok("release", "manifest", address, "--os", "Win64", "--json")
    assert set(done.data["sources"]) == {"pbxctrl.dat"}
    assert "is not https" in done.err
    done = site.run("release", "manifest", address, "--os", "Debian")
    assert (done.code, done.err.count("it names Debian64, Win64")) == (1, 1)


def test_damage_is_found_and_a_damaged_file_is_never_installed(site: Site, server: Server) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"))
    site.ok("release", "fetch")
    (site.repo / "artefacts" / digest(CTRL)).write_bytes(b"something else")
    done = site.run("release", "verify")
    assert done.code == 2
    assert f"damaged: 70.7 pbxctrl ({server.url('/pbxctrl')})" in done.out
    site.edit("desired/fleet.toml", 'release = "70.5"', 'release = "70.7"')
    site.compile()
    done = site.run("apply", "--auto-approve")
    assert done.code == 1
    assert "error[PLN106]" in done.err
    site.ok("release", "fetch")
    site.apply("--quiet")


def test_prune_removes_only_what_nobody_pins(site: Site, server: Server) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"))
    site.ok("release", "fetch")
    old, notes = site.repo / "artefacts" / ("a" * 64), site.repo / "artefacts/notes.txt"
    old.write_bytes(b"old")
    notes.write_bytes(b"ours")
    assert site.run("release", "prune", "--check").code == 2
    assert old.exists()
    site.declare("desired/instances/broken.toml", "host = \n")
    refused = site.run("release", "prune")
    assert (refused.code, old.exists()) == (1, True)
    (site.repo / "desired/instances/broken.toml").unlink()
    assert site.ok("release", "prune").out == f"removed {'a' * 64}, 3 bytes\n"
    assert set(ours(site)) == {digest(CTRL), digest(DAT)}
    assert notes.read_bytes() == b"ours"


def test_another_store_on_this_machine(site: Site, server: Server, tmp_path: Path) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"))
    site.edit("desired/fleet.toml", 'release = "70.5"', 'release = "70.7"')
    site.compile()
    store = tmp_path / "store"
    site.ok("release", "fetch", "--artefacts", store)
    assert set(ours(site)) == set()
    assert site.run("apply", "--auto-approve").code == 1
    site.apply("--quiet", "--artefacts", store)
    assert site.ok("release", "verify", "--artefacts", store).code == 0


def test_the_store_that_the_fleet_names(site: Site, server: Server) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/pbxctrl.dat"))
    site.edit("desired/fleet.toml", "format = 1", 'format = 1\nartefacts = "../var/files"')
    site.edit("desired/fleet.toml", 'release = "70.5"', 'release = "70.7"')
    site.compile()
    site.ok("release", "fetch")
    assert set(p.name for p in (site.repo / "var/files").iterdir()) == {digest(CTRL), digest(DAT)}
    site.apply("--quiet")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "x"), "does not take 1 words"),
        (("fetch", "70.9"), "no release is called 70.9"),
        (("add", "70.9", "a"), "does not take 2 words"),
        (("add", "70.9", "a", "b"), "a release is two files"),
        (("add", "70.9", "a.dat", "b.dat"), "a release is two files"),
        (("add", "70.9", "no", "no.dat"), "is not a file"),
        (("fetch", "--largest", "0"), "--largest is less than one mebibyte"),
        (("manifest",), "does not take 0 words"),
        (("manifest", "nowhere.xml"), "does not exist"),
    ],
)
def test_wrong_words_are_refused(site: Site, words: tuple[str, ...], said: str) -> None:
    done = site.run("release", *words)
    code = 64 if "does not take" in said or "--largest" in said else 1
    assert (done.code, done.err.count(said)) == (code, 1), done


def test_no_repository(tmp_path: Path) -> None:
    assert run("release", "list", cwd=tmp_path).code == 1


def with_list(site: Site, release: str, drop: str = "") -> None:
    """Give a release the exact list of the names in the reference file, without one."""
    learned = site.ok("learn", "--names", site.repo / "desired/reference/pbx.xml").out
    assert "reference-password" not in learned
    kept = [line for line in learned.splitlines() if line != drop]
    site.declare(f"desired/reference/settings-{release}.txt", "\n".join(kept) + "\n")
    site.edit(
        "desired/fleet.toml",
        f'[releases."{release}"]',
        f'[releases."{release}"]\nsettings = "reference/settings-{release}.txt"',
    )


def test_a_plan_names_what_the_coming_release_does_not_know_and_keeps_it(site: Site) -> None:
    site.compile()
    site.apply("--quiet")
    live = site.root / "usr/local/pbx-alpha/pbx.xml"
    text = live.read_text(encoding="utf-8")
    end = text.rindex("</")
    live.write_text(f"{text[:end]}<old_switch>on</old_switch>\n{text[end:]}", encoding="utf-8")
    with_list(site, "70.6")
    site.edit("desired/fleet.toml", 'release = "70.5"', 'release = "70.6"')
    site.compile()
    notes = {n["code"]: n for n in site.plan()["notes"]}
    assert notes["PLN143"]["severity"] == "advice"
    assert notes["PLN143"]["message"].startswith("release 70.6 does not know old_switch, which")
    site.apply("--quiet")
    assert "<old_switch>on</old_switch>" in live.read_text(encoding="utf-8")


def test_what_the_release_does_not_know_reaches_no_disk(site: Site) -> None:
    site.compile()
    site.apply("--quiet")
    with_list(site, "70.5", drop="sip_udp_port")
    with nothing_changes(site.root, site.repo / "rendered"):
        done = site.run("compile")
        assert done.code == 1
        assert "[SET108]" in done.err
        refused = site.run("apply", "--auto-approve")
        assert (refused.code, "error[PLN107]" in refused.err) == (1, True)


def test_values_in_the_place_of_a_list_of_names_are_not_shown(site: Site) -> None:
    """The JSON of a PBX in the place of the list that is learned from it."""
    with_list(site, "70.5")
    settings = '{\n "pw_pass": "hunter2",\n "sys_name": "x"\n}\n'
    site.declare("desired/reference/settings-70.5.txt", settings)
    done = site.run("validate")
    assert (done.code, done.err.count("error[SET107]")) == (1, 4)
    assert "hunter2" not in done.err + done.out


def test_a_list_that_loses_a_name_counts_at_once(site: Site) -> None:
    """Also where what each host came to was kept from an earlier run."""
    with_list(site, "70.5")
    site.compile()
    site.compile()
    with_list_again = site.repo / "desired/reference/settings-70.5.txt"
    text = with_list_again.read_text(encoding="utf-8")
    with_list_again.write_text(text.replace("sys_name\n", ""), encoding="utf-8")
    done = site.run("compile")
    assert done.code == 1
    assert "does not know sys_name" in done.err


def test_the_document_of_each_action(site: Site, server: Server, tmp_path: Path) -> None:
    pin(site, server.url("/pbxctrl"), server.url("/nothing"))
    (site.repo / "artefacts").mkdir(exist_ok=True)
    (site.repo / "artefacts" / "notes.txt").write_text("not ours\n", encoding="utf-8")
    (site.repo / "artefacts" / digest(b"old")).write_bytes(b"old")
    (site.repo / "artefacts" / digest(b"other")).write_bytes(b"damaged")
    for name, content in (("pbxctrl", CTRL + b"#"), ("pbxctrl.dat", DAT + b"#")):
        (tmp_path / name).write_bytes(content)
    manifest = tmp_path / "version.xml"
    manifest.write_text(LIST.format(url=server.url("")), encoding="utf-8")
    for code, words in (
        (0, ("list",)),
        (1, ("fetch", "70.7")),
        (0, ("add", "70.8", tmp_path / "pbxctrl", tmp_path / "pbxctrl.dat", "--write")),
        (2, ("verify",)),
        (2, ("prune", "--check")),
        (0, ("manifest", manifest, "--os", "Debian64")),
        (0, ("manifest", manifest, "--os", "Win64")),
    ):
        done = site.run("release", "--json", *words)
        assert done.code == code, done
        judge(document_of("release"), done.data)
