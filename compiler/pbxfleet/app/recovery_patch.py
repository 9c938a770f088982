"""A rehearsed recovery as a patch of `desired/`, for `git apply` or `patch -p1`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pbxfleet.model.rehearsal import Edit, HostRehearsal
from pbxfleet.source.text import SourceText

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z][a-z0-9-]*")
_FLOW = re.compile(r"(?:\s*(?:#[^\n]*)?\n|---\s*\n)*\s*\{")


def recovery_patch(
    files: Mapping[str, bytes], rehearsal: HostRehearsal, ledger: tuple[str, bytes]
) -> bytes:
    """What changes in the repository if the host is lost and its instances start where it says.

    `files` are the desired files by name, `ledger` the name and new content of the ledger. Nothing but
    the values that must change is touched: comments and order stay.
    """
    edits: dict[str, list[Edit]] = {}
    for start in rehearsal.starts:
        for edit in start.edits:
            edits.setdefault(edit.span.file, []).append(edit)
    after = {name: edited(name, files[name], found) for name, found in edits.items()}
    name, content = ledger
    after[name] = content
    return b"".join(_diff(n, files.get(n), after[n]) for n in sorted(after))


def edited(name: str, content: bytes, edits: Iterable[Edit]) -> bytes:
    """The file with the edits done."""
    mark = _BOM if content.startswith(_BOM) else b""
    text = content[len(mark) :].decode("utf-8")
    source = SourceText(name, text)
    # Several insertions at one place keep their order: the last one is put in first.
    parts: list[tuple[int, int, int, str]] = []
    for order, edit in enumerate(edits):
        end = source.offset(edit.span.end_line, edit.span.end_column)
        if edit.key:
            at, words = _insertion(source, edit, end)
            parts.append((at, at, order, words))
        else:
            start = source.offset(edit.span.line, edit.span.column)
            parts.append((start, end, order, _as_before(name, text[start:end], edit.text)))
    for first, last, _, words in sorted(parts, reverse=True):
        text = text[:first] + words + text[last:]
    return mark + text.encode()


def _as_before(name: str, before: str, after: str) -> str:
    """The new value without quotes where YAML had none and it needs none."""
    plain = after[1:-1]
    quoted = before[:1] in ('"', "'")
    return plain if _is_yaml(name) and not quoted and _PLAIN.fullmatch(plain) else after


def _is_yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _insertion(source: SourceText, edit: Edit, end: int) -> tuple[int, str]:
    """Where a key goes that was not there, and its text: a line below, or within `{...}`."""
    text = source.text
    if _is_yaml(source.file):
        if _FLOW.match(text):
            return end, f", {edit.key}: {edit.text}"
        start = source.offset(edit.span.line, 1)
        indent = text[start : start + len(text[start:]) - len(text[start:].lstrip(" "))]
        said = f"{indent}{edit.key}: {edit.text}"
    else:
        said = f"{edit.key} = {edit.text}"
    line_end = text.find("\n", end)
    if line_end < 0:
        return len(text), f"\n{said}"
    feed = "\r\n" if text[line_end - 1] == "\r" else "\n"
    return line_end + 1, said + feed


def _diff(name: str, before: bytes | None, after: bytes) -> bytes:
    """A unified diff of one file; nothing if it stays as it is."""
    if before == after:
        return b""
    old = _lines(before or b"")
    head = "/dev/null" if before is None else f"a/{name}"
    lines = difflib.unified_diff(old, _lines(after), head, f"b/{name}")
    return "".join(_finished(lines)).encode("utf-8", "surrogateescape")


def _lines(content: bytes) -> Sequence[str]:
    return _LINE.findall(content.decode("utf-8", "surrogateescape"))


def _finished(lines: Iterable[str]) -> Iterator[str]:
    """A last line without a line end is said to be one, as diff(1) does."""
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
