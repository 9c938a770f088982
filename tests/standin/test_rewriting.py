"""When pbx.xml is written by a running instance, and with which habits."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from support.standin import Answer, wait_until
from support.standin_box import Box

CONFIG = "/rest/system/config"


def stop(box: Box) -> None:
    os.kill(box.pid, signal.SIGTERM)
    box.wait_gone()


def trace(path: Path) -> tuple[int, int, bytes]:
    """What tells whether a file was written: inode, time, content."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, path.read_bytes()


@pytest.mark.parametrize(
    ("mode", "moments"),
    [
        ("never", set()),
        ("start", {"start", "change"}),
        ("change", {"change"}),
        ("exit", {"change", "exit"}),
        ("always", {"start", "change", "exit"}),
    ],
)
@pytest.mark.parametrize("write", ["atomic", "inplace"])
def test_it_writes_at_the_moments_that_were_chosen(
    box: Box, mode: str, moments: set[str], write: str
) -> None:
    box.behave(rewrite=mode, write=write)
    before, written = trace(box.pbx_xml), set()
    for moment, act in (
        ("start", box.start),
        ("change", lambda: box.change(sys_name="changed")),
        ("exit", lambda: stop(box)),
    ):
        act()
        after = trace(box.pbx_xml)
        if after != before:
            written.add(moment)
        before = after
    assert written == moments
    assert box.stored()["sys_name"] == ("test" if mode == "never" else "changed")


@pytest.mark.parametrize(("write", "stays"), [("atomic", False), ("inplace", True)])
def test_in_place_keeps_the_inode(box: Box, write: str, stays: bool) -> None:
    box.behave(write=write)
    box.pbx_xml.chmod(0o640)
    box.start()
    with box.pbx_xml.open("rb") as held:  # so that its inode is not given to the next file
        box.change(sys_name="a longer name than before")
        box.change(sys_name="short")
        assert (os.stat(held.fileno()).st_ino == box.pbx_xml.stat().st_ino) is stays
    assert box.pbx_xml.stat().st_mode & 0o7777 == 0o640
    assert box.stored()["sys_name"] == "short"
    assert sorted(path.name for path in box.directory.iterdir()) == [
        "pbx.xml",
        "pbxctrl",
        "pbxctrl.dat",
        "standin.json",
    ]


def test_with_an_interval_it_writes_without_being_asked(box: Box) -> None:
    box.behave(rewrite="always", interval=0.05, add="written={n}")
    box.start()
    wait_until(lambda: int(box.stored()["written"]) > 3, "written by the clock")


def test_it_can_be_told_to_write_now(box: Box) -> None:
    box.behave(rewrite="never", add="seen=1")
    box.start()
    assert box.post("/standin/rewrite") == Answer(200, "true")
    assert box.stored()["seen"] == "1"


def test_a_hand_edit_under_a_running_instance_is_lost(box: Box) -> None:
    box.start()
    box.configure(sys_name="by hand")
    box.change(log_length=5)
    assert box.stored()["sys_name"] == "test"
    assert box.stored()["log_length"] == "5"


def test_a_hand_edit_while_stopped_is_read(box: Box) -> None:
    box.start()
    stop(box)
    box.configure(sys_name="by hand")
    box.start()
    assert json.loads(box.get(CONFIG).body)["sys_name"] == "by hand"


def test_it_reorders_adds_and_drops(box: Box) -> None:
    box.configure(log_length="100", gone="1", zz="1")
    box.behave(reorder=True, add="aa=new zz=two", drop="gone log_length=50 absent absent2=1")
    box.start()
    box.change(sys_name="x")
    stored = box.stored()
    assert list(stored) == sorted(stored)
    assert (stored["aa"], stored["zz"], stored["log_length"]) == ("new", "two", "50")
    assert not {"gone", "absent", "absent2"} & set(stored)


def test_comments_can_be_lost(box: Box) -> None:
    box.configure(log_length="1")
    with_comment = box.pbx_xml.read_text().replace("  <sys_name>", "  <!-- who -->\n  <sys_name>")
    box.pbx_xml.write_text(with_comment)
    box.behave(comments="drop")
    box.start()
    box.change(log_length=2)
    assert "<!--" not in box.pbx_xml.read_text()
    assert box.stored()["sys_name"] == "test"


def test_it_goes_on_when_the_file_cannot_be_written(box: Box) -> None:
    box.configure(log_filename="pbx.log")
    box.start()
    box.pbx_xml.with_suffix(".xml.new").mkdir()
    box.change(sys_name="kept in memory")
    assert json.loads(box.get(CONFIG).body)["sys_name"] == "kept in memory"
    assert "pbx.xml not written: " in box.logged()


def test_choices_can_be_elements_and_standin_json_is_stronger(box: Box) -> None:
    box.configure(standin_rewrite="start", standin_add="seen=1")
    box.start()
    assert box.stored()["seen"] == "1"
    box.behave(add="seen=2")
    box.change(log_length=1)
    assert box.stored()["seen"] == "2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "standin.json is not JSON"),
        ("[]", "standin.json is not an object"),
        ('{"rewrite": "never"}', "standin.json: unknown member rewrite"),
        ('{"standin_rewrite": "sometimes"}', "standin_rewrite is 'sometimes'"),
        ('{"standin_delay_start": "long"}', "standin_delay_start is not a number"),
        ('{"standin_add": null}', "standin_add is neither text nor number"),
    ],
)
def test_a_wrong_choice_is_no_start(box: Box, text: str, message: str) -> None:
    (box.directory / "standin.json").write_text(text)
    done = box.run()
    assert done.returncode == 1
    assert message in done.stderr


def test_a_choice_that_becomes_wrong_is_logged(box: Box) -> None:
    box.configure(log_filename="pbx.log")
    box.start()
    (box.directory / "standin.json").write_text("{")
    before = box.pbx_xml.read_bytes()
    box.change(sys_name="x")
    assert box.pbx_xml.read_bytes() == before
    assert "pbx.xml not written: standin.json is not JSON" in box.logged()
    stop(box)


def test_values_in_another_spelling(box: Box) -> None:
    box.configure(sip_tcp_port="5070", flag="true", max_calls="200", web_language=" en ")
    box.behave(rewrite="start", spell="binds truth zeros spaces")
    box.start()
    stored = box.stored()
    assert stored["sip_tcp_port"] == "0.0.0.0:5070 [::]:5070"
    assert (stored["flag"], stored["max_calls"]) == ("True", "0200")
    assert stored["web_language"] == " en " and stored["sys_name"] == " test "
    before = box.pbx_xml.read_bytes()
    box.post("/standin/rewrite")
    assert box.pbx_xml.read_bytes() == before, "spelled once, it stays"


def test_elements_that_it_does_not_know_vanish(box: Box) -> None:
    box.configure(flag="true")
    box.behave(rewrite="start", unknown="drop")
    box.start()
    assert "flag" not in box.stored() and box.stored()["sys_name"] == "test"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_another_encoding(box: Box, encoding: str) -> None:
    box.configure(sys_name="Zürich")
    box.behave(rewrite="start", encoding=encoding)
    box.start()
    assert box.stored()["sys_name"] == "Zürich"
    assert f'encoding="{encoding}"' in box.pbx_xml.read_bytes().decode(encoding)


def test_an_element_that_is_written_twice(box: Box) -> None:
    box.behave(rewrite="always", twice="sys_name")
    box.start()
    for _ in range(2):
        box.post("/standin/rewrite")
        assert box.pbx_xml.read_bytes().count(b"<sys_name>") == 2


@pytest.mark.parametrize("survivor", ["own", "other"])
def test_a_child_survives_and_writes_late(box: Box, survivor: str) -> None:
    box.behave(survive=0.5, survivor=survivor, add="sys_name=late")
    box.start()
    parent = box.pid
    os.kill(parent, signal.SIGTERM)
    wait_until(lambda: parent not in box.pids, "the process is gone")
    assert (len(box.pids) == 1) == (survivor == "own")
    box.configure(sys_name="meanwhile")
    wait_until(lambda: box.stored()["sys_name"] != "meanwhile", "the child has written")
    assert box.stored()["sys_name"] == ("late" if survivor == "own" else "test")
    box.wait_gone()
