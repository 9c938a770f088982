"""Where does a line of a rendered file come from? Values, layers, templates, commits, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from pbxfleet.app.applied_when import Applied, applied_when
from pbxfleet.app.asked_line import Asked, asked_of, host_of
from pbxfleet.app.explain import Layer, blamed, layers_of, written_text
from pbxfleet.app.source_map import RenderedFile, SourceMap, source_map_of, text_of
from pbxfleet.core.errors import Refused
from pbxfleet.core.span import Span
from pbxfleet.host.disk import absolute, read_file
from pbxfleet.model.manifest import decode_fields
from pbxfleet.model.source_map import LineSources, Source, TemplateLine
from pbxfleet.model.target import Field
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.pbx_xml import read
from pbxfleet.vcs.blame import History

FOREIGN = "foreign"  # ownership: never touched
WHOLE = "whole"  # ownership of a file that is kept as rendered


class ExplainedSource(NamedTuple):
    """A value, the layers that say it, nearest first, and the numbers of the lines that have it."""

    source: Source
    layers: tuple[Layer, ...]
    lines: tuple[int, ...]


class Part(NamedTuple):
    """What a line, or a whole file, is a part of on the host; `impact` is "" if it is not put there."""

    resource: str
    instance: str
    mode: int | None
    owner: str
    ownership: str
    impact: str


class ExplainedLine(NamedTuple):
    """A line of a rendered file, or (line None) all of it.

    `text` is None for a whole file. `element` is the element of pbx.xml that the line holds. `stale`
    says that the file on the disk is not what desired/ compiles to now.
    """

    path: str
    line: int | None
    length: int
    text: str | None
    element: Field | None
    part: Part
    sources: tuple[ExplainedSource, ...]
    written_by: tuple[TemplateLine, ...]
    declared_by: tuple[Layer, ...]
    applied: Applied
    stale: bool


def explain_line(repository: str, what: str, root: str) -> ExplainedLine:
    """Explain a rendered place; `root` is the folder that is the host's `/`, for when it was applied.

    Refused (MAP101 to MAP103) with the nearest name, or why there is no such line.
    """
    repository = absolute(repository)
    known = source_map_of(repository, host_of(what))
    asked = asked_of(known, what)
    number, stale = _as_compiled(repository, known, asked)
    found = known.lines(asked.file, None if number is None else (number,))
    line = found.lines[0] if number is not None else None
    element = None if line is None else _element(known, asked.file, found.instance, line)
    text = None if line is None else line.text
    applied = applied_when(absolute(root), found.host, asked.file.name, text)
    history = History(repository)
    declared = _all(line.declared_by for line in found.lines) or known.declared_by(asked.file)
    return ExplainedLine(
        path=found.path,
        line=number,
        length=found.length,
        text=None if line is None else _shown(known, asked.file, line, element),
        element=element,
        part=_part(known, asked.file, found.instance, element, line),
        sources=tuple(_sources(history, found.lines)),
        written_by=_all(line.written_by for line in found.lines),
        declared_by=tuple(
            Layer(str(s), wins=True, blame=blamed(history, str(s))) for s in declared
        ),
        applied=applied,
        stale=stale,
    )


def _as_compiled(repository: str, known: SourceMap, asked: Asked) -> tuple[int | None, bool]:
    """The number of the line in what is compiled now, and whether the file on the disk is another.

    Refused (MAP103) where the line on the disk is not compiled any more.
    """
    content, there = known.content(asked.file), read_file(f"{repository}/{asked.file.path}")
    if there is None or there == content or asked.line is None:
        return asked.line, there is not None and there != content
    before = text_of(asked.file, there).split("\n")
    after = text_of(asked.file, content).split("\n")
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    for start, now, size in blocks:
        if start < asked.line <= start + size:
            return asked.line - start + now, True
    if asked.line > len(before):
        return asked.line, True  # its absence is told with the numbers
    raise Refused(
        f"{asked.file.path}:{asked.line} is not what desired/ compiles to now",
        hint="run pbxfleet compile; a line that was changed by hand has no source",
        code="MAP103",
    )


def _element(
    known: SourceMap, file: RenderedFile, instance: str, line: LineSources
) -> Field | None:
    """The element of pbx.xml that the line holds, if it is declared."""
    if file.name not in known.settings_files(file.host).values():
        return None
    fields = decode_fields(known.content(RenderedFile(file.host, f"settings/{instance}.json")))
    labels = {source.what for source in line.sources}
    return next(
        (field for field in fields if field.label in labels and field.name in line.text), None
    )


def _shown(known: SourceMap, file: RenderedFile, line: LineSources, element: Field | None) -> str:
    """The line; of one that holds a secret, only that it does."""
    if element is not None and element.secret is not None:
        return f"the secret {element.secret}"
    if file.name not in known.settings_files(file.host).values():
        return line.text
    on_line = (s for s in read(known.content(file)).settings if s.line <= line.number <= s.end_line)
    hidden = any(
        one.encrypted or (one.name in SETTINGS and SETTINGS[one.name].secret and one.value)
        for one in on_line
    )
    return "(secret)" if hidden else line.text


def _part(
    known: SourceMap,
    file: RenderedFile,
    instance: str,
    element: Field | None,
    line: LineSources | None,
) -> Part:
    resource = known.resource(file)
    if resource is None:
        return Part("", instance, None, "", "", "")
    mode = None if resource["mode"] is None else int(resource["mode"], 8)
    ownership, impact = WHOLE, resource["impact"]
    if resource["kind"] == "settings":
        ownership = "" if line is None else FOREIGN
        if element is not None:
            ownership, impact = element.ownership, str(element.impact)
    return Part(resource["id"], resource["instance"], mode, resource["owner"], ownership, impact)


def _sources(history: History, lines: Iterable[LineSources]) -> Iterable[ExplainedSource]:
    """Each value once, in the order of the lines that have it first."""
    found: dict[Source, list[int]] = {}
    for line in lines:
        for source in line.sources:
            found.setdefault(source, []).append(line.number)
    for source, numbers in found.items():
        places = (str(source.span), *map(str, source.overrode))
        yield ExplainedSource(source, layers_of(history, places), tuple(numbers))


def _all(groups: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))


def line_text(found: ExplainedLine) -> str:
    """The explanation for people."""
    lines = [found.path if found.line is None else f"{found.path}:{found.line}"]
    if found.text is not None:
        lines.append(f"  {found.text}")
    for one in found.sources:
        for layer in one.layers:
            lines.append(f"  {_layer_text(found, one, layer)}")
    for written in found.written_by if found.line is not None else _files(found.written_by):
        lines.append(f"  {'written by':<11}  {written}")
    lines += [f"  {'declared by':<11}  {d.place}{written_text(d.blame)}" for d in found.declared_by]
    lines += [f"  {'part of':<11}  {words}" for words in _part_words(found)]
    lines.append(f"  {'applied':<11}  {applied_text(found.applied)}")
    if found.stale:
        lines.append("  the file on the disk is not what desired/ says now: run pbxfleet compile")
    return "\n".join(lines) + "\n"


def _layer_text(found: ExplainedLine, one: ExplainedSource, layer: Layer) -> str:
    if not layer.wins:
        return f"{'overrides':<11}  {layer.place}{written_text(layer.blame)}"
    what = f"{one.source.what}{_at(found, one)}"
    if one.source.is_default:
        return f"{'by default':<11}  {what}: {one.source.span.file} does not say it"
    return f"{'from':<11}  {layer.place} ({what}){written_text(layer.blame)}"


def _at(found: ExplainedLine, one: ExplainedSource) -> str:
    if found.line is not None:
        return ""
    few = ", ".join(map(str, one.lines[:5]))
    more = f" and {len(one.lines) - 5} more" if len(one.lines) > 5 else ""
    return f", line{'s' if len(one.lines) > 1 else ''} {few}{more}"


def _files(written: Iterable[TemplateLine]) -> Iterable[str]:
    names = (f"template {w.file}" if w.own else w.file for w in written)
    return dict.fromkeys(names)


def _part_words(found: ExplainedLine) -> Iterable[str]:
    part = found.part
    if not part.resource:
        yield "the rendered tree; it is not put on the host"
        return
    of = f" of {part.instance}" if part.instance else ""
    mode = "" if part.mode is None else f", {part.mode:04o} {part.owner}"
    kept = {WHOLE: ", kept as rendered", "": ""}.get(part.ownership, f", {part.ownership}")
    yield f"{part.resource}{of}{mode}{kept}; a change of it costs: {part.impact}"


def applied_text(applied: Applied) -> str:
    """Since when it is on the host, in words."""
    generation = applied.generation
    if generation is None:
        return applied.why
    return f"generation {generation.number}, {generation.made}, by {generation.by}"


def line_data(found: ExplainedLine) -> dict[str, Any]:
    """The explanation as plain data."""
    part, generation = found.part, found.applied.generation
    return {
        "path": found.path,
        "line": found.line,
        "length": found.length,
        "text": found.text,
        "element": None if found.element is None else found.element.name,
        "resource": part.resource,
        "instance": part.instance,
        "mode": None if part.mode is None else f"{part.mode:04o}",
        "owner": part.owner,
        "ownership": part.ownership,
        "impact": part.impact,
        "sources": [
            {
                "what": one.source.what,
                "is_default": one.source.is_default,
                **_span(one.source.span),
                "lines": list(one.lines),
                "layers": [_layer(layer) for layer in one.layers],
            }
            for one in found.sources
        ],
        "written_by": [w._asdict() for w in found.written_by],
        "declared_by": [_layer(layer) for layer in found.declared_by],
        "applied": None
        if generation is None
        else {"generation": generation.number, "at": generation.made, "by": generation.by},
        "stale": found.stale,
    }


def _span(span: Span) -> Mapping[str, Any]:
    return {"place": str(span), **span._asdict()}


def _layer(layer: Layer) -> dict[str, Any]:
    blame = None if layer.blame is None else layer.blame._asdict()
    return {"place": layer.place, "wins": layer.wins, "blame": blame}
