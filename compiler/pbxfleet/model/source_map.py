"""Where lines of rendered files come from: values in desired/, lines of templates, declarations."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.span import Span


class Source(NamedTuple):
    """A value whose change changes a line.

    `what` says in the words of the format which value it is (`cpu`, `backup.restic.place`). `overrode` are
    places of farther layers that say the same thing, nearest first. With `is_default` nothing says it, and
    `span` is where the file or table that could say it begins.
    """

    span: Span
    what: str
    overrode: tuple[Span, ...] = ()
    is_default: bool = False


class TemplateLine(NamedTuple):
    """A line of a template or of a reference file, the first is 1.

    `file` is relative to the repository, or to the program's own templates if `own` is true.
    """

    file: str
    line: int
    own: bool

    def __str__(self) -> str:
        return f"template {self.file}:{self.line}" if self.own else f"{self.file}:{self.line}"


class LineSources(NamedTuple):
    """Everything that made one line of a rendered file; never without a place.

    `sources` are the values in it, `written_by` the lines of templates or reference files, in the order in
    which they wrote it. `declared_by` are the places that make the whole file be there, as it is called.
    """

    number: int
    text: str
    sources: tuple[Source, ...]
    written_by: tuple[TemplateLine, ...]
    declared_by: tuple[Span, ...]

    @property
    def spans(self) -> tuple[Span, ...]:
        """All places in the repository, those of values first, each once."""
        lines = (w for w in self.written_by if not w.own)
        written = (Span(w.file, w.line, 1, w.line, 1) for w in lines)
        values = (source.span for source in self.sources)
        return tuple(dict.fromkeys((*values, *written, *self.declared_by)))


class FileSources(NamedTuple):
    """The lines of a rendered file that were asked for, in order, and what the file is.

    `path` is relative to the repository. `resource` is the id in the manifest, "" for files that are
    not put on the host; `length` is the number of all its lines.
    """

    path: str
    host: str
    instance: str
    resource: str
    length: int
    lines: tuple[LineSources, ...]


def place_of(text: str) -> Span:
    """The place that `str(span)` wrote; it ends where it begins."""
    file, line, column = text.rsplit(":", 2)
    return Span(file, int(line), int(column), int(line), int(column))
