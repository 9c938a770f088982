"""Files that are out of all proportion cost seconds at most: no size makes reading take for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pbxfleet.pbx.pbx_xml import PbxXmlError, edit, read, values

MANY = 20_000
FILES = {
    "blanks in a tag": b"<c><k" + b" " * 1_000_000 + b">v</k></c>",
    "blanks between tags": b"<c><k>v</k>" + b" " * 1_000_000 + b"<l>w</l></c>",
    "settings": b"<c>" + b"".join(b"<k%d>v</k%d>\n" % (n, n) for n in range(MANY)) + b"</c>",
    "one name": b"<c>" + b"<k>v</k>\n" * MANY + b"</c>",
    "sections": b"<c><k>" + b"<![CDATA[v]]>" * MANY + b"</k></c>",
    "comments": b"<c><k>" + b"<!--v-->x" * MANY + b"</k></c>",
    "references": b"<c><k>" + b"&#65;" * MANY + b"</k></c>",
    "an open quotation mark": b"<c><a k='" + b"v" * 1_000_000 + b">x</a></c>",
    "a long name": b"<c><" + b"n" * 100_000 + b"/></c>",
    "open brackets": b"<c>" + b"<k>" * 99 + b"<" * MANY,
}
READERS: dict[str, Callable[[bytes], object]] = {
    "read": read,
    "edit": lambda content: edit(content, {"other": "1"}),
    "values": lambda content: values(content, ("k", "l")),
}
ENOUGH_S = 10.0  # of the processor; a quadratic reader needs minutes


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", FILES)
def test_size_costs_no_more_than_its_share(file: str, reader: str) -> None:
    before = time.process_time()
    try:
        READERS[reader](FILES[file])
    except PbxXmlError as error:
        assert error.code in ("XML101", "XML105", "XML110"), error
    assert time.process_time() - before < ENOUGH_S


@pytest.mark.parametrize("reader", READERS)
def test_a_tag_with_thousands_of_attributes_is_refused(reader: str) -> None:
    attributes = b" ".join(b'k%d="v"' % n for n in range(MANY))
    with pytest.raises(PbxXmlError) as raised:
        READERS[reader](b"<c><a " + attributes + b">x</a></c>")
    assert raised.value.code == "XML105"
    assert "1000 attributes" in raised.value.message


def test_a_few_hundred_attributes_are_kept() -> None:
    attributes = b" ".join(b'k%d="v"' % n for n in range(900))
    content = b"<c><a " + attributes + b">x</a></c>"
    assert edit(content, {"a": "y"}) == content.replace(b">x<", b">y<")
