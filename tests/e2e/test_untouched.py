"""Twice in a row changes nothing, and what nobody declared stays as it was: inodes, times, bytes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from support.e2e import Site, applied_site, facts, nothing_changes, small_site

DIALECTS = Path(__file__).resolve().parents[1] / "pbx" / "dialects"

UNIT = b"[Service]\nExecStart=/usr/local/pbx-other/pbxctrl\n"
FOREIGN: dict[str, bytes] = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/pbx/notes.txt": b"do not touch\r\n",
    "etc/systemd/system/pbx-other.service": UNIT,
    "etc/systemd/system/nginx.service": b"[Service]\nExecStart=/usr/sbin/nginx\n",
    "etc/systemd/system/multi-user.target.wants/cron.service": b"",
    "usr/local/pbx-other/pbx.xml": b"<config><sys_name>Other</sys_name></config>",
    "usr/local/pbx-other/pbxctrl": b"\x7fELF\x00",
    "usr/local/pbx-alpha/recordings/1.wav": b"RIFF" + bytes(range(256)),
    "usr/local/pbx-alpha/.hidden": b"",
    "usr/local/pbx-alpha/pbx.xml.bak": b"<config/>",
    "usr/local/pbx-alpha/caf\xc3\xa9.txt".encode("latin-1").decode(): b"name",
    "var/lib/pbxfleet-other/x": b"",
}


def lay(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def everything_twice(site: Site) -> None:
    """Every command that looks, and a second compile and apply: no path is written or touched."""
    with nothing_changes(site.repo, site.root):
        site.ok("validate")
        assert site.ok("compile", "--check").out == ""
        assert site.ok("compile").out == ""
        for _ in range(2):
            site.settles()
            assert site.apply().out == f"{site.host}: nothing to do\n"
            site.ok("plan", "--json")
            site.ok("drift", "--only-new")
            site.ok("status", "--json")


def test_a_second_run_of_everything_writes_nothing(tmp_path: Path) -> None:
    everything_twice(applied_site(tmp_path))


def test_looking_before_the_first_apply_leaves_no_trace(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    site.compile()
    with nothing_changes(site.repo, site.root):
        site.ok("plan")
        site.ok("status")
        assert site.run("drift").code in (0, 2)
        assert site.run("apply").code == 1
    assert list(site.root.iterdir()) == []


def test_a_second_apply_after_a_repair_writes_nothing(tmp_path: Path) -> None:
    site = applied_site(tmp_path)
    (site.root / "etc/pbx/backup.list").write_bytes(b"/home\n")
    pbx_xml = site.root / "usr/local/pbx-alpha/pbx.xml"
    pbx_xml.write_bytes(pbx_xml.read_bytes().replace(b">Alpha<", b">Somebody<"))
    site.apply()
    everything_twice(site)


def test_a_rewritten_file_with_the_same_declared_values_is_settled(tmp_path: Path) -> None:
    """The PBX adds, reorders and drops what is not declared; that is no work and no drift."""
    site = applied_site(tmp_path)
    pbx_xml = site.root / "usr/local/pbx-alpha/pbx.xml"
    lines = pbx_xml.read_bytes().split(b"\n")
    body = [line for line in lines[2:-2] if b"timezone" not in line]
    body = [*sorted(body, reverse=True), b"  <added_by_the_pbx>1</added_by_the_pbx>"]
    pbx_xml.write_bytes(b"\n".join([*lines[:2], *body, *lines[-2:]]))
    everything_twice(site)


def test_what_is_not_declared_is_not_touched(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    site.compile()
    lay(site.root, FOREIGN)
    (site.root / "etc/pbx/a-link").symlink_to("/nowhere")
    os.mkfifo(site.root / "usr/local/pbx-alpha/pipe")
    (site.root / "usr/local/pbx-alpha").chmod(0o2775)
    kept = [site.root / name for name in FOREIGN]
    kept += [site.root / "etc/pbx/a-link", site.root / "usr/local/pbx-alpha/pipe"]
    kept += [site.root / "usr/local/pbx-other", site.root / "etc/systemd/system/nginx.service"]
    before = {path: facts(path) for path in kept}
    mode = (site.root / "usr/local/pbx-alpha").stat().st_mode

    site.apply()
    site.edit("desired/instances/alpha.toml", 'host = "h1"', 'host = "h1"\nrelease = "70.6"')
    site.compile()
    site.apply()
    (site.repo / "desired/instances/alpha.toml").unlink()
    site.compile()
    site.apply()

    assert {path: facts(path) for path in kept} == before
    assert (site.root / "usr/local/pbx-alpha").stat().st_mode == mode
    made = {
        path.relative_to(site.root).as_posix()
        for path in site.root.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }
    ours = {
        "etc/pbx/backup.list", "etc/pbx/backup.exclude",
        "etc/pbx/backup-beta.list", "etc/pbx/backup-beta.exclude",
        "etc/systemd/system/pbx-beta.service",
        "etc/systemd/system/multi-user.target.wants/pbx-beta.service",
        "usr/local/pbx-beta/pbx.xml", "usr/local/pbx-beta/pbxctrl", "usr/local/pbx-beta/pbxctrl.dat",
        # of the instance that was taken out of service: its directory is the customer's
        "usr/local/pbx-alpha/pbx.xml", "usr/local/pbx-alpha/pbxctrl",
        "usr/local/pbx-alpha/pbxctrl.dat",
    }  # fmt: skip
    there = {*FOREIGN, "etc/pbx/a-link", "usr/local/pbx-alpha/pipe"}
    state = {name for name in made if name.startswith("var/lib/pbxfleet/")}
    assert made - state == ours | there


OWNED = ("sys_name", "ip_http_port", "ip_https_port", "sip_udp_port", "log_length")


def test_only_declared_elements_of_a_pbx_xml_change(tmp_path: Path) -> None:
    """A file in an odd dialect that was there before: byte for byte the same outside our elements."""
    for number, (name, content) in enumerate(sorted(ODD.items())):
        site = small_site(tmp_path / str(number))
        site.compile()
        path = site.root / "usr/local/pbx-alpha/pbx.xml"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 4711, 4712)
        before = path.lstat()
        site.apply()
        after = path.lstat()
        changed = path.read_bytes()
        assert (after.st_mode, after.st_uid, after.st_gid) == (
            before.st_mode, before.st_uid, before.st_gid,
        ), name  # fmt: skip
        assert outside(changed) == outside(content), name
        for kept in (
            b"<nested><sys_name>inner</sys_name></nested>",
            b"<sys_name>not me</sys_name> -->",
        ):
            assert kept in changed, name
        encoding = ENCODINGS.get(name, "utf-8")
        assert b"Alpha" in changed and ">203.0.113.10:80<" in changed.decode(encoding), name
        site.settles()
        with nothing_changes(site.root):
            site.apply()


def outside(content: bytes) -> bytes:
    """A pbx.xml without the values of the elements that are declared."""
    names = "|".join(OWNED).encode()
    return re.sub(rb"<(" + names + rb")(\s[^>]*)?>[^<]*</", rb"<\1\2></", content)


BODY = """<?xml version="1.0" encoding="{encoding}"?>
<!-- by hand, {word} -->
<config version='1' >
\t<sys_name>Old</sys_name  ><ip_http_port>198.51.100.10:80</ip_http_port>

  <ip_https_port  >198.51.100.10:443</ip_https_port>
  <!-- <sys_name>not me</sys_name> -->
  <sip_udp_port>198.51.100.10:5060 [::1]:5060</sip_udp_port>
  <pw_pass encrypted="true">5f4dcc3b5aa765d6</pw_pass><smtp encrypted='true'>ff</smtp>
  <unknown  a = "1"><nested><sys_name>inner</sys_name></nested>{word} &amp; &#x41; <![CDATA[<b>]]></unknown>
  <empty/><empty2 /><greeting> {word} </greeting>
  <log_length>77</log_length>
</config>
<!-- behind -->
"""

ENCODINGS = {"latin-1": "latin-1", "windows-1252": "cp1252"}
ODD = {
    "plain": BODY.format(encoding="utf-8", word="plain").encode(),
    "crlf": BODY.format(encoding="utf-8", word="crlf").replace("\n", "\r\n").encode(),
    "bom": b"\xef\xbb\xbf" + BODY.format(encoding="utf-8", word="ü中").encode(),
    "single quotes": BODY.format(encoding="utf-8", word="q").replace('"', "'").encode(),
    "latin-1": BODY.format(encoding="ISO-8859-1", word="Müller").encode("latin-1"),
    "windows-1252": BODY.format(encoding="windows-1252", word="€uro").encode("cp1252"),
    "no last line end": BODY.format(encoding="utf-8", word="x").rstrip().encode(),
    "one line": BODY.format(encoding="utf-8", word="x").replace("\n", "").encode(),
}


def test_an_adopted_instance_keeps_its_seeded_value(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    site.compile()
    path = site.root / "usr/local/pbx-alpha/pbx.xml"
    path.parent.mkdir(parents=True)
    path.write_bytes(ODD["plain"])
    changes = {c["resource"]: c for c in site.plan()["changes"]}
    change = changes["settings:/usr/local/pbx-alpha/pbx.xml"]
    assert change["status"] == "adopt"
    assert "log_length" not in {field["name"] for field in change["fields"]}
    site.apply()
    assert b"<log_length>77</log_length>" in path.read_bytes()
