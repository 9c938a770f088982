"""The vendor's list of files: both ways to write it, and what is never read."""

from __future__ import annotations

import pytest

from pbxfleet.pbx.release_manifest import (
    LARGEST_BYTES,
    ManifestError,
    ManifestFile,
    of_platform,
    read_manifest,
)

ATTRIBUTES = (
    b'<pbx><file name="a/pbxctrl" os="Debian64" type="executable" link="https://x/1"/></pbx>'
)
ELEMENTS = (
    b"<pbx><files><file type='executable'><name> a/pbxctrl </name><link>https://x/1</link>"
    b"<os>Debian64</os></file></files></pbx>"
)
BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a><file name="&c;" link="x"/></a>'
OUTSIDE = (
    b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a><file name="&e;" link="x"/></a>'
)


@pytest.mark.parametrize("content", [ATTRIBUTES, ELEMENTS])
def test_attributes_and_elements_say_the_same(content: bytes) -> None:
    expected = ManifestFile("a/pbxctrl", "https://x/1", "Debian64", "executable")
    assert read_manifest(content) == (expected,)


def test_a_platform_gets_its_own_files_and_those_of_all() -> None:
    files = tuple(ManifestFile(n, "l", os, "") for n, os in (("1", "A"), ("2", ""), ("3", "B")))
    assert [f.name for f in of_platform(files, "A")] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB, "DOCTYPE"),
        (OUTSIDE, "external entity"),
        (b"", "is not XML"),
        (b"<a>", "is not XML"),
        (b"<html><body>404</body></html>", "has no file elements"),
        (b"<a><file name='x'/></a>", "line 1: a file without name or link"),
        (b"<a><file link='x'/></a>", "line 1: a file without name or link"),
        (b" " * (LARGEST_BYTES + 1), "has more than"),
    ],
)
def test_anything_else_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ManifestError, match=why):
        read_manifest(content)
