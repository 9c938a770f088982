"""What must hold for every file and every edit, judged by lxml and expat."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from pbxfleet.pbx.pbx_xml import PbxXmlError, edit, read, values
from support.xml_documents import EDITS, VALUES, documents
from support.xml_spans import Pieces, cut, strip_space

SAMPLE = (
    b'<?xml version="1.0"?>\n<c>\n  <a>1</a>\n  <b x="&lt;"><![CDATA[2]]>&amp;</b>\n'
    b'  <!-- n -->\n  <p encrypted="true">z</p><d/>\n</c>\n'
)
Shape = tuple[str, tuple[tuple[str, str], ...], str]


def shapes(content: bytes) -> list[Shape]:
    """The children of the root as lxml sees them: name, attributes, and text or inner XML."""
    parser = etree.XMLParser(resolve_entities=False, strip_cdata=True, remove_comments=False)
    root = etree.fromstring(content, parser)
    found: list[Shape] = []
    for child in root.iterchildren(etree.Element):
        attributes = tuple(sorted((str(name), str(value)) for name, value in child.items()))
        inner = [part for part in child.iterdescendants(etree.Element)]
        text = (
            "".join(str(part) for part in child.xpath("text()"))
            if not inner
            else (etree.tostring(child, with_tail=False, encoding="unicode"))
        )
        found.append((child.tag, attributes, text))
    return found


def model(before: list[Shape], edits: Mapping[str, str | None]) -> list[Shape]:
    """What an edit shall do, on shapes: slow and plain."""
    after: list[Shape] = []
    for name, attributes, text in before:
        if name not in edits:
            after.append((name, attributes, text))
        elif (value := edits[name]) is not None:
            after.append((name, attributes, value))
    present = [name for name, _, _ in before]
    after += [
        (name, (), value)
        for name, value in edits.items()
        if name not in present and value is not None
    ]
    return after


def editable(content: bytes, edits: Mapping[str, str | None]) -> dict[str, str | None]:
    """Those of `edits` that the file does not forbid."""
    found = read(content)
    settings = {name: found.get(name) for name in edits}
    return {
        name: value
        for name, value in edits.items()
        if (setting := settings[name]) is None or setting.editable
    }


@given(documents(), EDITS)
def test_an_edit_means_what_the_model_says(content: bytes, wished: dict[str, str | None]) -> None:
    edits = editable(content, wished)
    assert shapes(edit(content, edits)) == model(shapes(content), edits)


@given(documents(), EDITS)
def test_a_second_edit_changes_nothing(content: bytes, wished: dict[str, str | None]) -> None:
    edits = editable(content, wished)
    once = edit(content, edits)
    assert edit(once, edits) is once


@given(documents())
def test_the_values_that_are_there_change_nothing(content: bytes) -> None:
    current = {setting.name: setting.value for setting in read(content).settings}
    edits = editable(content, current)
    assert edit(content, {**edits, "absent": None}) is content


@given(documents(), EDITS)
def test_nothing_else_changes(content: bytes, wished: dict[str, str | None]) -> None:
    edits = editable(content, wished)
    before, after = cut(content), cut(edit(content, edits))
    added = [name for name in edits if name not in before.names and edits[name] is not None]
    kept = len(after.elements) - len(added)
    assert list(after.names[kept:]) == added
    check_elements(before, after, edits)
    check_gaps(before, after, edits, kept)


def check_elements(before: Pieces, after: Pieces, edits: Mapping[str, str | None]) -> None:
    new = {element.name: element for element in after.elements}
    for old in before.elements:
        if old.name not in edits:
            assert new[old.name] == old
        elif edits[old.name] is None:
            assert old.name not in new
        elif old.content is not None:
            assert (new[old.name].head, new[old.name].tail) == (old.head, old.tail)


def check_gaps(before: Pieces, after: Pieces, edits: Mapping[str, str | None], kept: int) -> None:
    """Removed settings may take the white space before them along; added ones bring their own."""
    spaces = tuple(space.encode(before.codec) for space in " \t\r\n")
    merged = [before.gaps[0]]
    shortest = [before.gaps[0]]
    for element, gap in zip(before.elements, before.gaps[1:], strict=True):
        if edits.get(element.name, "") is None:
            merged[-1] += gap
            shortest[-1] = strip_space(shortest[-1], before.codec) + gap
        else:
            merged.append(gap)
            shortest.append(gap)
    found = list(after.gaps[:kept])
    own, last = after.gaps[kept:-1], after.gaps[-1]
    if own:
        assert all(not strip_space(gap, before.codec) for gap in own[1:])
        found.append(strip_space(own[0], before.codec) + last)
    else:
        found.append(last)
    for longest, least, gap in zip(merged, shortest, found, strict=True):
        assert without(gap, spaces) == without(longest, spaces)
        if longest == least and not own:
            assert gap == longest


def without(gap: bytes, spaces: tuple[bytes, ...]) -> bytes:
    width = len(spaces[0])
    characters = [gap[at : at + width] for at in range(0, len(gap), width)]
    return b"".join(character for character in characters if character not in spaces)


@given(documents(), st.dictionaries(st.sampled_from(["n1", "n2"]), VALUES, min_size=1))
def test_an_addition_stands_behind_the_last_thing(content: bytes, new: dict[str, str]) -> None:
    before, after = cut(content), cut(edit(content, new))
    assume(before.elements)
    count = len(before.elements)
    assert after.elements[:count] == before.elements
    assert after.gaps[:count] == before.gaps[:count]
    first, last = after.gaps[count], after.gaps[-1]
    assert strip_space(first, before.codec) + last == before.gaps[-1]
    assert edit(edit(content, new), dict.fromkeys(new)) == content


@given(documents(), st.sampled_from(["sys_name", "alpha", "new"]), VALUES)
def test_a_value_is_read_back_as_it_was_given(content: bytes, name: str, value: str) -> None:
    assume(name in editable(content, {name: value}))
    found = read(edit(content, {name: value})).get(name)
    assert found is not None
    assert found.value == value


@given(documents(), EDITS, EDITS)
def test_edits_may_be_made_one_after_the_other(
    content: bytes, first: dict[str, str | None], second: dict[str, str | None]
) -> None:
    once, twice = editable(content, first), editable(content, second)
    step = edit(edit(content, once), twice)
    joined = {name: value for name, value in once.items() if name not in twice} | twice
    assert dict((name, text) for name, _, text in shapes(step)) == dict(
        (name, text) for name, _, text in shapes(edit(content, joined))
    )


@given(documents(repeated=True))
def test_values_are_those_of_read(content: bytes) -> None:
    found = read(content)
    assert values(content, found.names) == {
        setting.name: setting.value if setting.editable else None for setting in found.settings
    }


@given(documents(repeated=True))
def test_places_are_those_of_expat(content: bytes) -> None:
    found, pieces = read(content), cut(content)
    assert tuple(setting.name for setting in found.settings) == pieces.names
    lines = normalised(content.decode(found.encoding).removeprefix("\ufeff")).split("\n")
    for setting, piece in zip(found.settings, pieces.elements, strict=True):
        shown = normalised((piece.content or piece.whole).decode(found.encoding))
        rest = "\n".join(lines[setting.line - 1 :])[setting.column - 1 :]
        assert rest.startswith(shown)
        end = "\n".join(lines[: setting.end_line])
        end = end[: len(end) - len(lines[setting.end_line - 1]) + setting.end_column - 1]
        assert end.endswith(shown)


def normalised(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    refused_or_right(content)


@given(st.data())
def test_spoiled_files_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.just(SAMPLE) | documents()))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        new = data.draw(
            st.binary(max_size=2)
            | st.sampled_from([b"<", b">", b"&", b'"', b"/", b"]]>", b"--", b"\0", b"<?xml ?>"])
        )
        content[at : at + data.draw(st.integers(0, 3))] = new
    refused_or_right(bytes(content))


def refused_or_right(content: bytes) -> None:
    """Only `PbxXmlError` may come out; what is accepted, lxml accepts with the same meaning."""
    try:
        found = read(content)
    except PbxXmlError:
        try:
            values(content, ["a", "b"])
            edit(content, {"a": "1"})
        except PbxXmlError:
            return
        raise AssertionError("edited, but not readable") from None
    assert [setting.name for setting in found.settings] == [name for name, _, _ in shapes(content)]
    try:
        edited = edit(content, {"a": "new", "b": None})
    except PbxXmlError:
        return
    assert ("a", "new") in [(name, text) for name, _, text in shapes(edited)]
