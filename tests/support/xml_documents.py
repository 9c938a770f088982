"""Hypothesis strategies for pbx.xml files of many dialects, and for edits of them."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from hypothesis import strategies as st

NAMES = ("sys_name", "ip_http_port", "log_filename", "alpha", "beta-2", "x.y", "_u")
NEW_NAMES = ("new_one", "new_two", "new-three")

# XML 1.0, 2.2, without what only one of the encodings can write
_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
VALUES = st.text(_CHARACTERS | st.sampled_from(" \t\n\r&<>\"']é€😀"), max_size=12)


class Dialect(NamedTuple):
    """How a file is written. `separators` is what may stand before a setting."""

    declaration: str
    codec: str
    mark: bytes
    line_end: str
    separators: tuple[str, ...]


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    """Any encoding that can be read, with any fitting declaration."""
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    name, codec, mark = draw(
        st.sampled_from(
            [
                ("", "utf-8", b""),
                ("", "utf-8", codecs.BOM_UTF8),
                ("UTF-8", "utf-8", b""),
                ("utf-8", "utf-8", codecs.BOM_UTF8),
                ("", "utf-16-le", codecs.BOM_UTF16_LE),
                ("UTF-16", "utf-16-be", codecs.BOM_UTF16_BE),
                ("ISO-8859-1", "latin-1", b""),
                ("windows-1252", "cp1252", b""),
                ("us-ascii", "ascii", b""),
            ]
        )
    )
    quote = draw(st.sampled_from("\"'"))
    gap = draw(st.sampled_from([" ", "  ", line_end]))
    declaration = f"<?xml{gap}version={quote}1.0{quote}"
    declaration += f"{gap}encoding = {quote}{name}{quote}" if name else ""
    declaration += draw(st.sampled_from(["?>", f"{gap}?>"]))
    if not name and draw(st.booleans()):
        declaration = ""
    indentation = draw(st.sampled_from(["", "  ", "\t"]))
    separators = draw(
        st.sampled_from(
            [
                (line_end + indentation,),
                ("",),
                (" ",),
                (line_end + indentation, line_end + line_end + indentation, "", line_end),
            ]
        )
    )
    return Dialect(declaration, codec, mark, line_end, separators)


def _pieces(line_end: str) -> st.SearchStrategy[str]:
    plain = st.text(_CHARACTERS.filter(lambda character: character not in "&<>"), max_size=6)
    return st.one_of(
        plain,
        st.sampled_from(["&amp;", "&lt;", "&#65;", "&#x20AC;", "&quot;", ">", line_end, "\t", " "]),
        plain.filter(lambda text: "]" not in text).map(
            lambda text: f"<![CDATA[{text}{line_end}<&]]>"
        ),
        plain.filter(lambda text: "-" not in text).map(lambda text: f"<!--{text}-->"),
        st.sampled_from(["<?keep it?>", "<?x?>"]),
    )


@st.composite
def elements(draw: st.DrawFn, names: st.SearchStrategy[str], line_end: str, depth: int = 0) -> str:
    """One element, self-closed, flat or nested."""
    name = draw(names)
    attributes = draw(
        st.sampled_from(
            [
                "",
                "",
                "",
                ' a="1"',
                " b = '&lt;\"'",
                f"{line_end}a=\"1\" c='>'",
                ' xml:space="preserve"',
                f' d="{line_end}\tx"',
            ]
        )
    )
    if draw(st.integers(0, 9)) == 0:
        attributes += ' encrypted="true"'
    space = draw(st.sampled_from(["", "", " "]))
    if draw(st.integers(0, 5)) == 0:
        return f"<{name}{attributes}{space}/>"
    content = "".join(draw(st.lists(_pieces(line_end), max_size=3)))
    if depth < 2 and draw(st.integers(0, 7)) == 0:
        content += draw(elements(names, line_end, depth + 1))
    return f"<{name}{attributes}{space}>{content}</{name}{space}>"


_BETWEEN = ("", "", "", "<!-- a comment -->", "<?keep?>")


@st.composite
def documents(draw: st.DrawFn, *, repeated: bool = False) -> bytes:
    """The bytes of a file; names of settings occur once unless `repeated`."""
    dialect = draw(dialects())
    names = draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=not repeated))
    body = ""
    for name in names:
        body += draw(st.sampled_from(dialect.separators))
        body += draw(elements(st.just(name), dialect.line_end))
        body += draw(st.sampled_from(_BETWEEN))
    body += draw(st.sampled_from([dialect.line_end, "", " "]))
    root = draw(st.sampled_from(["config", "pbx-settings", "Settings"]))
    attributes = draw(st.sampled_from(["", ' version="7"', " a='>' "]))
    before = draw(st.sampled_from(["", dialect.line_end, "<!-- top -->", "<?tool x?>"]))
    after = draw(st.sampled_from(["", dialect.line_end, " <!-- end -->", "<?tool x?>\t"]))
    text = f"{dialect.declaration}{before}<{root}{attributes}>{body}</{root}>{after}"
    return dialect.mark + text.encode(dialect.codec, "xmlcharrefreplace")


EDITS = st.dictionaries(st.sampled_from(NAMES + NEW_NAMES), st.none() | VALUES, max_size=4)
