"""Reading a pbx.xml: what its settings are, where they stand, and which of them may be edited."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.pbx.xml_scan import Element, Scan, scan
from pbxfleet.pbx.xml_text import (
    DISAGREEMENT,
    ENCRYPTED,
    NESTED,
    NOWHERE,
    TWICE,
    Decoded,
    PbxXmlError,
    Places,
    decode,
)

if TYPE_CHECKING:
    from lxml import etree


class Setting(NamedTuple):
    """A child element of the root. `value` is None where it is encrypted or holds elements.

    The place is that of the text between its tags, or of the whole element if that is empty.
    `editable` is false for encrypted, nested and repeated settings; `why_not` is then the reason.
    """

    name: str
    value: str | None
    encrypted: bool
    line: int
    column: int
    end_line: int
    end_column: int
    editable: bool
    why_not: str


class PbxXml:
    """What a pbx.xml says. `encoding` is in small letters; `settings` are in the file's order."""

    __slots__ = ("_by_name", "encoding", "root", "settings")

    def __init__(self, encoding: str, root: str, settings: tuple[Setting, ...]) -> None:
        self.encoding = encoding
        self.root = root
        self.settings = settings
        self._by_name = {setting.name: setting for setting in reversed(settings)}

    def get(self, name: str) -> Setting | None:
        """The setting of that name, the first one if it is repeated, None if there is none."""
        return self._by_name.get(name)

    @property
    def names(self) -> frozenset[str]:
        """Names of all settings."""
        return frozenset(self._by_name)


class Document(NamedTuple):
    """A file with the places of its elements, proven by two readers."""

    decoded: Decoded
    scan: Scan

    @property
    def text(self) -> str:
        """The whole file as text, without its byte-order mark."""
        return self.decoded.text


def read(content: bytes) -> PbxXml:
    """What the file says; `PbxXmlError` if it is not XML that can be kept byte for byte."""
    document = open_document(content)
    elements = document.scan.settings()
    repeated = repeated_names(elements)
    places = Places(document.text)
    settings = tuple(_setting(element, repeated, places) for element in elements)
    return PbxXml(document.decoded.encoding, document.scan.root.name, settings)


# The same reference file is the start of a thousand edits, and a merge reads before it edits.
@lru_cache(maxsize=4)
def open_document(content: bytes) -> Document:
    """The file, scanned for places, after lxml has read the same from the same bytes."""
    return prove_document(content)


def prove_document(content: bytes) -> Document:
    """As `open_document`, for bytes that nobody will ask about again."""
    decoded = decode(content)
    found = scan(decoded.text)
    _referee(content, decoded, found)
    return Document(decoded, found)


def repeated_names(elements: list[Element]) -> frozenset[str]:
    """Names that more than one of these elements has."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for element in elements:
        (repeated if element.name in seen else seen).add(element.name)
    return frozenset(repeated)


def means_encrypted(attribute: str, value: str) -> bool:
    """Whether an attribute says that the text is ciphertext.

    The PBX marks secrets with `encrypted="true"` (sources of the Windows installer,
    https://github.com/VasilisVikos/vodia_windows_installer); other spellings of "yes" count too.
    """
    return attribute.rpartition(":")[2].lower() == "encrypted" and (
        value.strip().lower() not in ("", "false", "no", "0")
    )


def is_encrypted(element: Element) -> bool:
    """Whether the text of this element is ciphertext."""
    return any(means_encrypted(name, value) for name, value in element.attributes)


def why_not_editable(element: Element, repeated: frozenset[str]) -> tuple[str, str] | None:
    """Diagnostic code and reason why this element must be left alone, None if it may be edited."""
    if element.name in repeated:
        return TWICE, f"<{element.name}> occurs more than once, so it is not clear which one counts"
    if is_encrypted(element):
        return ENCRYPTED, f"the value of <{element.name}> is encrypted by the PBX"
    if element.nested:
        return NESTED, f"<{element.name}> holds other elements instead of a value"
    return None


def _setting(element: Element, repeated: frozenset[str], places: Places) -> Setting:
    start, end = element.open_end, element.close_start
    if start == end:
        start, end = element.start, element.end
    encrypted = bool(element.attributes) and is_encrypted(element)
    reason = (
        why_not_editable(element, repeated)
        if encrypted or element.nested or element.name in repeated
        else None
    )
    return Setting(
        element.name,
        None if encrypted or element.nested else element.text,
        encrypted,
        *places.at(start),
        *places.at(end),
        reason is None,
        reason[1] if reason else "",
    )


@cache
def _parser() -> etree.XMLParser:
    from lxml import etree

    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )


def _referee(content: bytes, decoded: Decoded, found: Scan) -> None:
    """Refuse (XML110) unless lxml reads the same elements, attributes and texts from the bytes."""
    from lxml import etree

    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        raise _refused_by_lxml(error) from None
    elements = list(root.iter(etree.Element))
    for ours, theirs in zip(found.elements, elements, strict=False):
        if not _same(ours, theirs):
            raise _disagreement(decoded.text, ours)
    if len(elements) != len(found.elements):
        raise _disagreement(decoded.text, found.root)
    if decoded.encode(decoded.text) != content:
        raise _disagreement(decoded.text, found.root)


def _same(ours: Element, theirs: etree._Element) -> bool:
    tag = theirs.tag
    if tag.startswith("{"):
        prefix = theirs.prefix
        tag = tag.rpartition("}")[2]
        tag = f"{prefix}:{tag}" if prefix else tag
    text = theirs.text or ""
    if ours.children:
        text += "".join(child.tail or "" for child in theirs)
    return (
        tag == ours.name
        and text == ours.text
        and len(theirs) == ours.children
        and (not (ours.attributes or theirs.attrib) or _attributes(ours) == _local(theirs.attrib))
    )


def _attributes(element: Element) -> list[tuple[str, str]]:
    return sorted(
        (name.rpartition(":")[2], value)
        for name, value in element.attributes
        if name != "xmlns" and not name.startswith("xmlns:")
    )


def _local(attributes: etree._Attrib) -> list[tuple[str, str]]:
    return sorted((str(name).rpartition("}")[2], str(value)) for name, value in attributes.items())


def _disagreement(text: str, element: Element) -> PbxXmlError:
    return PbxXmlError(
        DISAGREEMENT,
        f"two readers do not agree about <{element.name}>",
        Places(text).span(element.start, element.open_end),
        "the file is left alone, because a change to it could not be proven to be safe",
    )


def _refused_by_lxml(error: etree.XMLSyntaxError) -> PbxXmlError:
    line, column = error.position
    place = (line, column, line, column + 1) if line and column else NOWHERE
    message = (error.msg or "no reason given").partition(", line ")[0]
    return PbxXmlError(DISAGREEMENT, f"a second reader refuses the file: {message}", place)
