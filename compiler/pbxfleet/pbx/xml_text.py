"""Bytes of an XML file to text and back, places in it, and how characters are written and read.

Nothing here knows elements. Every problem is a `PbxXmlError` with an exact place.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from pbxfleet.pbx.patterns import compiled

MAX_SIZE_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_TAGS = 500_000
MAX_ATTRIBUTES = 1000  # of one tag: parsers compare each with all the others

NOT_WELL_FORMED = "XML101"
ENCODING = "XML102"
DOCTYPE_OR_ENTITY = "XML103"
NO_ROOT = "XML104"
TOO_LARGE = "XML105"
TWICE = "XML106"
ENCRYPTED = "XML107"
NESTED = "XML108"
CANNOT_HOLD = "XML109"
DISAGREEMENT = "XML110"

WHITE_SPACE = " \t\r\n"

# Every character that XML 1.0 does not allow anywhere, not even as a reference (XML 1.0, 2.2).
_FORBIDDEN = "[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"

_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}

# Names a declaration may use, and the Python codec for each; UTF-16 only together with its mark.
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "iso8859-1": "latin-1",
    "iso_8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
_NAMES = {"ascii": "us-ascii", "latin-1": "iso-8859-1", "cp1252": "windows-1252"}
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8", ("utf-8", "utf8")),
    (b"\xff\xfe", "utf-16-le", ("utf-16", "utf-16le")),
    (b"\xfe\xff", "utf-16-be", ("utf-16", "utf-16be")),
)


class PbxXmlError(Exception):
    """A file that cannot be read, or an edit that cannot be made; `code` is a diagnostic code.

    Lines and columns are 1-based and count characters (a byte-order mark is none), the end is
    exclusive; all four are 1 when the problem has no place in the file.
    """

    def __init__(
        self, code: str, message: str, place: tuple[int, int, int, int], hint: str = ""
    ) -> None:
        super().__init__(f"{place[0]}:{place[1]}: {code}: {message}")
        self.code = code
        self.message = message
        self.line, self.column, self.end_line, self.end_column = place
        self.hint = hint


NOWHERE = (1, 1, 1, 1)


class Decoded(NamedTuple):
    """A file as text. `mark` is its byte-order mark, `codec` what Python calls its encoding."""

    text: str
    codec: str
    mark: bytes

    def encode(self, text: str) -> bytes:
        """The bytes of `text` in this file's encoding, with its mark."""
        return self.mark + text.encode(self.codec)

    @property
    def encoding(self) -> str:
        """Name of the encoding in small letters, such as `utf-8`, `utf-16-le`, `windows-1252`."""
        return _NAMES.get(self.codec, self.codec)


class Places:
    """Turns offsets of one text into lines and columns; LF, CR LF and CR end a line."""

    __slots__ = ("_starts",)

    def __init__(self, text: str) -> None:
        self._starts = [0]
        if "\r" in text:
            self._starts += [match.end() for match in compiled(r"\r\n?|\n").finditer(text)]
            return
        end = text.find("\n") + 1
        while end:
            self._starts.append(end)
            end = text.find("\n", end) + 1

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at `offset`, both 1-based."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> tuple[int, int, int, int]:
        """Line and column of `start`, then of `end`."""
        return (*self.at(start), *self.at(end))


def error_at(
    text: str, code: str, message: str, where: tuple[int, int], hint: str = ""
) -> PbxXmlError:
    """The error at a place in `text`, given as offset and number of characters."""
    start, length = where
    end = min(start + length, len(text))
    return PbxXmlError(code, message, Places(text).span(min(start, end), end), hint)


def decode(content: bytes) -> Decoded:
    """The text of a whole file; refuses what cannot be decoded beyond doubt (XML102, 104, 105)."""
    if not content:
        raise PbxXmlError(NO_ROOT, "the file is empty", NOWHERE)
    if len(content) > MAX_SIZE_BYTES:
        raise PbxXmlError(
            TOO_LARGE, f"the file has {len(content)} bytes, more than 16 MiB", NOWHERE
        )
    decoded = _with_mark(content) or _without_mark(content)
    forbidden = compiled(_FORBIDDEN).search(decoded.text)
    if forbidden is not None:
        raise error_at(
            decoded.text,
            NOT_WELL_FORMED,
            f"the character U+{ord(forbidden[0]):04X} is not allowed in XML",
            (forbidden.start(), 1),
        )
    return decoded


def _with_mark(content: bytes) -> Decoded | None:
    if content.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise _unknown("utf-32")
    for mark, codec, accepted in _MARKS:
        if content.startswith(mark):
            decoded = _decode(content, codec, mark)
            name, start = _declared(decoded.text)
            if name and name.lower() not in accepted:
                raise error_at(
                    decoded.text,
                    ENCODING,
                    f'the file starts with a {codec} byte-order mark but declares "{name}"',
                    (start, len(name)),
                    "readers disagree about such a file; correct the declaration",
                )
            return decoded
    return None


def _without_mark(content: bytes) -> Decoded:
    if content.startswith((b"<\0", b"\0<", b"\0\0\0<")):
        raise PbxXmlError(
            ENCODING,
            "the file looks like UTF-16 or UTF-32 without a byte-order mark",
            NOWHERE,
            "save it as UTF-8, or as UTF-16 with a byte-order mark",
        )
    # the declaration itself is ASCII in every encoding that is accepted here
    head = content[: content.find(b"?>") + 2] if content.startswith(b"<?xml") else b""
    text = head.decode("latin-1")
    name, start = _declared(text)
    codec = _CODECS.get(name.lower()) if name else "utf-8"
    if codec is None:
        raise _unknown(name, Places(text).span(start, start + len(name)))
    return _decode(content, codec, b"")


def _declared(text: str) -> tuple[str, int]:
    """Encoding and its offset in the XML declaration of `text`; "" if it is silent or malformed."""
    match = compiled(DECLARATION).match(text)
    if match is None or match.lastindex is None:
        return "", 0
    return match[match.lastindex], match.start(match.lastindex)


# XML 1.0, 2.8: any 1.x is to be read as 1.0. Group 1 or 2 is the name of the encoding.
DECLARATION = (
    r"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:\"1\.[0-9]+\"|'1\.[0-9]+')"
    r"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*"
    r"(?:\"([A-Za-z][A-Za-z0-9._-]*)\"|'([A-Za-z][A-Za-z0-9._-]*)'))?"
    r"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:\"(?:yes|no)\"|'(?:yes|no)'))?"
    r"[ \t\r\n]*\?>"
)


def _unknown(name: str, place: tuple[int, int, int, int] = NOWHERE) -> PbxXmlError:
    bare = name.lower() in ("utf-16", "utf-16le", "utf-16be")
    return PbxXmlError(
        ENCODING,
        f'the file declares "{name}" but does not start with a byte-order mark'
        if bare
        else f'the encoding "{name}" is not supported',
        place,
        "supported: utf-8, utf-16 with a byte-order mark, iso-8859-1, windows-1252, us-ascii",
    )


def _decode(content: bytes, codec: str, mark: bytes) -> Decoded:
    body = content[len(mark) :]
    try:
        return Decoded(body.decode(codec), codec, mark)
    except UnicodeDecodeError as error:
        before = body[: error.start].decode(codec)
        wrong = body[error.start : error.end].hex(" ")
        line, column = Places(before).at(len(before))
        raise PbxXmlError(
            ENCODING,
            f"the bytes {wrong} are not valid {_NAMES.get(codec, codec)}",
            (line, column, line, column + 1),
            "the file is damaged, or its declaration names the wrong encoding",
        ) from None


def normalised(raw: str) -> str:
    """Character data as XML hands it on: every line end is a line feed (XML 1.0, 2.11)."""
    return raw.replace("\r\n", "\n").replace("\r", "\n") if "\r" in raw else raw


def resolved(text: str, start: int, end: int, *, attribute: bool = False) -> str:
    """Meaning of `text[start:end]`, character data or the inside of an attribute's quotes.

    Line ends are normalised and references resolved; an attribute's white space becomes spaces.
    """
    raw = normalised(text[start:end])
    if attribute:
        raw = raw.replace("\n", " ").replace("\t", " ")
    if "&" not in raw:
        return raw
    first, *rest = raw.split("&")
    parts = [first]
    offset = text.find("&", start)
    for piece in rest:
        name, semicolon, tail = piece.partition(";")
        character = _character(name) if semicolon else None
        if character is None:
            raise _bad_reference(text, offset, name if semicolon else "")
        parts += (character, tail)
        offset = text.find("&", offset + 1)
    return "".join(parts)


def _character(name: str) -> str | None:
    if not name.startswith("#"):
        return _ENTITIES.get(name)
    digits, base, limit = (name[2:], 16, 6) if name[1:2] == "x" else (name[1:], 10, 7)
    allowed = "0123456789abcdefABCDEF" if base == 16 else "0123456789"
    if not digits or digits.strip(allowed):
        return None
    digits = digits.lstrip("0")
    # the length comes first: int() refuses, and takes ever longer for, thousands of digits
    if not digits or len(digits) > limit or int(digits, base) > 0x10FFFF:
        return None
    character = chr(int(digits, base))
    return None if compiled(_FORBIDDEN).match(character) else character


def _bad_reference(text: str, offset: int, name: str) -> PbxXmlError:
    if compiled(r"[A-Za-z_:][A-Za-z0-9._:-]*").fullmatch(name):
        return error_at(
            text,
            DOCTYPE_OR_ENTITY,
            f"the entity &{name}; is not defined",
            (offset, len(name) + 2),
            "XML knows &amp; &lt; &gt; &quot; &apos; and character references such as &#233;",
        )
    if name.startswith("#") and len(name) < 40:
        return error_at(
            text,
            NOT_WELL_FORMED,
            f"&{name}; does not name a character that XML allows",
            (offset, len(name) + 2),
        )
    return error_at(
        text, NOT_WELL_FORMED, 'a lone "&"', (offset, 1), 'write "&amp;" for the character itself'
    )


def written(value: str, decoded: Decoded, line_end: str) -> str:
    """`value` as character data of this file: escaped, and with character references where the
    encoding has no such character. A line feed becomes `line_end`; a carriage return a reference.
    """
    text = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("\r", "&#13;").replace("\n", line_end)
    return text.encode(decoded.codec, "xmlcharrefreplace").decode(decoded.codec)


def forbidden_character(value: str) -> str | None:
    """The first character of `value` that XML cannot hold in any spelling."""
    found = compiled(_FORBIDDEN).search(value)
    return found[0] if found else None


def line_end_of(text: str) -> str:
    """The line end most used in `text`; LF if it has none."""
    windows = text.count("\r\n")
    counts = {"\n": text.count("\n") - windows, "\r\n": windows, "\r": text.count("\r") - windows}
    return max(counts, key=lambda end: counts[end])
