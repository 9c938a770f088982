"""Editing: what is refused, how values are written, and limits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.pbx.pbx_xml import MAX_SIZE_BYTES, PbxXmlError, edit, read, values

PLAIN = b"<c>\n  <a>1</a>\n</c>\n"
BLOCKED = (
    b"<c>\n  <a>1</a>\n  <p encrypted='true'>x</p>\n  <n><m/></n>\n  <t>1</t> <t>1</t>\n</c>\n"
)


@pytest.mark.parametrize(
    ("name", "code", "place"),
    [
        ("p", "XML107", (3, 3, 3, 28)),
        ("n", "XML108", (4, 3, 4, 14)),
        ("t", "XML106", (5, 3, 5, 11)),
    ],
)
@pytest.mark.parametrize("value", ["1", "", None])
def test_settings_that_must_be_left_alone_are_refused(
    name: str, code: str, place: tuple[int, int, int, int], value: str | None
) -> None:
    with pytest.raises(PbxXmlError) as caught:
        edit(BLOCKED, {"a": "2", name: value})
    error = caught.value
    assert error.code == code
    assert (error.line, error.column, error.end_line, error.end_column) == place
    assert error.hint


def test_settings_that_must_be_left_alone_do_not_hinder_others() -> None:
    assert edit(BLOCKED, {"a": "2"}) == BLOCKED.replace(b"<a>1", b"<a>2")
    assert values(BLOCKED, ["a", "p", "n", "t", "x"]) == {"a": "1", "p": None, "n": None, "t": None}


@pytest.mark.parametrize(
    "value", ["\x00", "a\x08", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"], ids=ascii
)
@pytest.mark.parametrize("name", ["a", "new"])
def test_characters_that_xml_cannot_hold_are_refused(name: str, value: str) -> None:
    with pytest.raises(PbxXmlError) as caught:
        edit(PLAIN, {name: value})
    assert caught.value.code == "XML109"
    assert caught.value.line == (2 if name == "a" else 1)


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "a>", "x:a", "<a", "a/", "-a", "a\n", "\u00e9\ud800"], ids=ascii
)
def test_names_that_no_element_can_have_are_refused(name: str) -> None:
    with pytest.raises(PbxXmlError) as caught:
        edit(PLAIN, {name: "1"})
    assert caught.value.code == "XML109"
    assert caught.value.message.isascii()
    assert edit(PLAIN, {name: None}) is PLAIN


def test_a_name_must_be_writable_in_the_encoding_of_the_file() -> None:
    assert "<gr\u00f6\u00dfe>1</gr\u00f6\u00dfe>".encode() in edit(PLAIN, {"gr\u00f6\u00dfe": "1"})
    with pytest.raises(PbxXmlError):
        edit(b'<?xml version="1.0" encoding="us-ascii"?><c/>', {"gr\u00f6\u00dfe": "1"})


SMILE = "\U0001f600"


@pytest.mark.parametrize(
    ("encoding", "value", "written"),
    [
        ("utf-8", "a<b>&\"'", b"a&lt;b&gt;&amp;\"'"),
        ("utf-8", "]]>", b"]]&gt;"),
        ("utf-8", "a\r\nb\r\tc", b"a&#13;\nb&#13;\tc"),
        ("utf-8", f"\u00e9\u20ac{SMILE}", f"\u00e9\u20ac{SMILE}".encode()),
        ("us-ascii", f"\u00e9\u20ac{SMILE}", b"&#233;&#8364;&#128512;"),
        ("iso-8859-1", "\u00e9\u20ac", b"\xe9&#8364;"),
        ("windows-1252", "\u00e9\u20ac\x81", b"\xe9\x80&#129;"),
        ("utf-8", "  ", b"  "),
        ("utf-8", "\u2028\x85", "\u2028\x85".encode()),
    ],
    ids=ascii,
)
def test_values_are_written_in_the_encoding_of_the_file(
    encoding: str, value: str, written: bytes
) -> None:
    before = f'<?xml version="1.0" encoding="{encoding}"?>\n<c><a>1</a></c>'.encode()
    after = edit(before, {"a": value})
    assert after == before.replace(b"<a>1</a>", b"<a>" + written + b"</a>")
    found = read(after).get("a")
    assert found is not None
    assert found.value == value


def test_a_line_feed_becomes_the_line_end_of_the_file() -> None:
    assert edit(b"<c>\r\n<a>1</a>\r\n</c>", {"a": "x\ny"}) == b"<c>\r\n<a>x\r\ny</a>\r\n</c>"


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        (b"<c><a/></c>", {"a": "1"}, b"<c><a>1</a></c>"),
        (b"<c><a  x='/' /></c>", {"a": "1"}, b"<c><a  x='/' >1</a></c>"),
        (b"<c><a/></c>", {"a": ""}, b"<c><a/></c>"),
        (b"<c><a>1</a></c>", {"a": ""}, b"<c><a></a></c>"),
        (b"<c><a>&#49;</a></c>", {"a": "1"}, b"<c><a>&#49;</a></c>"),
        (b"<c><a><![CDATA[1]]></a></c>", {"a": "1"}, b"<c><a><![CDATA[1]]></a></c>"),
        (b"<c><a><!-- n -->1</a></c>", {"a": "1"}, b"<c><a><!-- n -->1</a></c>"),
        (b"<c><a><!-- n -->1</a></c>", {"a": "2"}, b"<c><a>2</a></c>"),
        (b"<c/>", {"a": None}, b"<c/>"),
        (b"<c/>", {"a": "1", "b": ""}, b"<c><a>1</a><b></b></c>"),
        (b"<c x='/'/>\n", {"a": "1"}, b"<c x='/'>\n  <a>1</a>\n</c>\n"),
        (b"<c>\n\t<b/>\n</c>", {"a": ""}, b"<c>\n\t<b/>\n\t<a/>\n</c>"),
        (b"<c> <a>1</a> <b>2</b> </c>", {"a": None}, b"<c> <b>2</b> </c>"),
        (b"<c>\n<a>1</a><b>2</b>\n</c>", {"a": None}, b"<c>\n<b>2</b>\n</c>"),
        (b"<c>\n<a>1</a>\n</c>", {"a": None}, b"<c>\n</c>"),
        (b"<c>w <a>1</a>v</c>", {"a": None}, b"<c>w v</c>"),
        (b"<c>w<!----> <a>1</a>v</c>", {"a": None}, b"<c>w<!---->v</c>"),
    ],
)
def test_small_cases(before: bytes, edits: dict[str, str | None], after: bytes) -> None:
    assert edit(before, edits) == after


def test_a_file_may_have_16_mib_and_not_more() -> None:
    size = MAX_SIZE_BYTES - len(PLAIN)
    filler = b"".join(b"<!--" + b"x" * 1017 + b"-->" for _ in range(size // 1024))
    content = PLAIN + filler + b"\n" * (size - len(filler))
    assert len(content) == MAX_SIZE_BYTES
    assert edit(content, {"a": "2"}).startswith(b"<c>\n  <a>2</a>\n</c>\n<!--x")
    with pytest.raises(PbxXmlError) as caught:
        read(content + b"\n")
    assert caught.value.code == "XML105"
    with pytest.raises(PbxXmlError) as caught:
        values(content + b"\n", ["a"])
    assert caught.value.code == "XML105"
    with pytest.raises(PbxXmlError) as caught:
        edit(content, {"a": "22"})
    assert caught.value.code == "XML105"


# Inputs that make careless patterns take quadratic time, or fill the memory.
MANY = 50_000
HOSTILE = {
    "tags-opened": b"<" * MANY,
    "tags-in-tags": b"<c>" + b"<a " * MANY,
    "same-attribute": b"<c><a " + b'b="1" ' * MANY,
    "spaces-in-a-tag": b"<c><a " + b" " * MANY + b"=",
    "ampersands": b"<c>" + b"&" * MANY + b"</c>",
    "long-reference": b"<c>&#x" + b"0" * MANY + b";</c>",
    "sections-opened": b"<c>" + b"<![CDATA[" * MANY,
    "comments-opened": b"<c>" + b"<!-- " * MANY,
    "instructions-opened": b"<?x " * MANY,
    "square-brackets": b"<c>" + b"]]" * MANY + b">",
    "elements-opened": b"<a>" * MANY,
    "line-ends": b"\r" * MANY + b"<c>",
    "declaration": b"<?xml " + b" " * MANY,
    "too-many-tags": b"<c>" + b"<a/>" * 500_000 + b"</c>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    with pytest.raises(PbxXmlError):
        read(HOSTILE[name])
    with pytest.raises(PbxXmlError):
        values(HOSTILE[name], ["a"])


@given(st.lists(st.sampled_from(["a", "b", "d"]), unique=True))
def test_new_settings_come_in_the_order_of_the_edits(names: list[str]) -> None:
    added = edit(b"<c><x/></c>", dict.fromkeys(names, "1"))
    assert [setting.name for setting in read(added).settings] == ["x", *names]


def test_a_host_without_differences_does_not_load_lxml() -> None:
    code = (
        "import sys; from pbxfleet.pbx.pbx_xml import values; "
        "import pbxfleet.pbx.binds, pbxfleet.pbx.layout; "
        "assert values(b'<c><a>1</a><b>&amp;</b></c>', ['a', 'b']) == {'a': '1', 'b': '&'}; "
        "print([name for name in sys.modules if name.startswith('lxml')])"
    )
    compiler = Path(__file__).parents[2] / "compiler"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": str(compiler)},
    )
    assert done.stdout == "[]\n"
