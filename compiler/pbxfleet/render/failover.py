"""Failover files from the operator's own template.

The vendor documents that such files lie outside the working directory and must carry the instance's
name, but neither their format nor their keys (https://blog.vodia.com/failover): the whole text is
the operator's. Templates run in a sandbox without files, chance or ranges to loop over.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pbxfleet.core.diagnostics import Diagnostic, Outcome, did_you_mean, outcome
from pbxfleet.core.span import Span
from pbxfleet.model.desired import FailoverRole
from pbxfleet.model.resolved import Failover, ResolvedHost, ResolvedInstance
from pbxfleet.render.line_marks import LineMarks, is_traced, note

MAX_CHARACTERS = 1024 * 1024


class NameRow(NamedTuple):
    """A name that a template may say; `known` tells when it has a value, "" for always."""

    name: str
    meaning: str
    known: str = ""


NAME_ROWS = (
    NameRow("action_url", "what is called on the event", "if declared"),
    NameRow("address", "first address of the instance"),
    NameRow("addresses", "list of all its addresses"),
    NameRow("directory", "working directory of the instance"),
    NameRow("failures", "polls that must fail one after the other", "if declared"),
    NameRow("fleet", "name of the fleet"),
    NameRow("host", "name of the instance's host"),
    NameRow("host_address", "standard address of its host", "if declared"),
    NameRow("instance", "name of the instance"),
    NameRow("interval", "seconds between two polls", "if declared"),
    NameRow("number", "number of the instance", "if a path of its host uses {number}"),
    NameRow("peer", "name of the other half"),
    NameRow("peer_address", "address of the other half's web server"),
    NameRow("peer_host", "name of its host"),
    NameRow(
        "peer_url",
        "address of its web server as the PBX polls it: scheme, address and port",
        "unless the half is primary, and its peer has no web server",
    ),
    NameRow("role", "`primary` or `secondary`, of this half"),
    NameRow("tenants", "list of the instance's domains"),
    NameRow("validation_url", "what tells that the Internet can be reached", "if declared"),
)
"""Every name of a template. `addresses` and `tenants` are lists, everything else is text."""

NAMES = tuple(row.name for row in NAME_ROWS)
DECLARED = ("action_url", "failures", "interval", "validation_url")

# C0 and C1 controls but for tab and line end, and halves of surrogate pairs: no editor shows them.
_REFUSED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_JINJA = "a template is text with {{ name }} in it, and with Jinja's {% if %} and {% for %}"
_JINJA_FILE = "<template>"  # the file name that jinja2 gives to templates made from text


class FailoverTemplate(NamedTuple):
    """A template that was understood. `file` is its name within the repository, `source` its text."""

    file: str
    template: Template
    source: str


def template_file(host: ResolvedHost) -> str | None:
    """Name of the host's failover template within the repository, None if it names none."""
    named = host.file.failover_template
    return None if named is None else posixpath.normpath(posixpath.join("desired", named.value))


def read_template(file: str, content: bytes) -> Outcome[FailoverTemplate]:
    """The template in `content`, or what is wrong with it.

    FLO110 if it cannot be understood, FLO111 for names that templates do not have, FLO112 for
    control characters.
    """
    try:
        source = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        span = _line(file, content.count(b"\n", 0, error.start) + 1)
        return Outcome(None, (Diagnostic("FLO110", "template: it is not UTF-8", span),))
    hidden = _REFUSED.search(source)
    if hidden is not None:
        line, column = _place(source, hidden.start())
        span = Span(file, line, column, line, column + 1)
        return Outcome(None, (_control_character(hidden.group(), span),))
    environment = _environment()
    try:
        unknown = _unknown_names(file, source, environment.parse(source))
        return outcome(FailoverTemplate(file, environment.from_string(source), source), unknown)
    except TemplateSyntaxError as error:
        problem, span = _said(error.message or ""), _line(file, error.lineno)
    except (RecursionError, SyntaxError, MemoryError):
        # jinja2 turns a template into Python, which has limits of its own.
        problem, span = "template: it is nested too deeply", _line(file, 1)
    return Outcome(None, (Diagnostic("FLO110", problem, span, hint=_JINJA),))


def failover_text(
    template: FailoverTemplate,
    fleet_name: str,
    host: ResolvedHost,
    instance: ResolvedInstance,
    pair: Failover,
) -> Outcome[bytes]:
    """The failover file of an instance that is one half of `pair`.

    FLO111 if rendering fails, FLO112 if the text is very long or has control characters.
    """
    values = _values(fleet_name, host, instance, pair)
    try:
        text = _limited(template.template.generate(values))
    except Exception as error:  # the template is a program of its own; it may raise anything
        span = _line(template.file, _line_of(error.__traceback__))
        problem = Diagnostic("FLO111", _said(str(error)), span, hint=_hint(error))
    else:
        hidden = None if text is None else _REFUSED.search(text)
        if text is not None and hidden is None:
            if is_traced():
                _trace(template, values, text)
            return Outcome(text.encode())
        span = _line(template.file, 1)
        problem = _too_long(span) if hidden is None else _control_character(hidden.group(), span)
    related = ((pair.origin, f"rendered for instance {instance.name}"),)
    return Outcome(None, (replace(problem, related=related),))


def text_of_other_role(
    template: FailoverTemplate,
    fleet_name: str,
    host: ResolvedHost,
    instance: ResolvedInstance,
    pair: Failover,
) -> bytes | None:
    """What the file would be if this half had the other role; None where the template cannot say that."""
    primary, secondary = FailoverRole.PRIMARY, FailoverRole.SECONDARY
    other = replace(pair, role=primary if pair.role is secondary else secondary)
    try:
        text = _limited(template.template.generate(_values(fleet_name, host, instance, other)))
    except Exception:  # the template is a program of its own, and nobody asked for this text
        return None
    return None if text is None else text.encode("utf-8", "replace")


def _trace(template: FailoverTemplate, values: Mapping[str, object], text: str) -> None:
    """Tell which lines of the template wrote the text; a template that computes with text may not tell."""
    environment = _environment([LineMarks])
    try:
        marked = environment.from_string(template.source).render(values)
    except Exception:  # it is a program of its own, and the marks are in its texts
        return
    note(text, marked, environment, template.file)


def _environment(extensions: Sequence[type[Extension]] = ()) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        extensions=extensions,
    )
    # Without the global functions nothing loops for long or depends on chance.
    environment.globals.clear()
    del environment.filters["random"]
    return environment


def _unknown_names(file: str, source: str, tree: nodes.Template) -> Iterator[Diagnostic]:
    unknown = meta.find_undeclared_variables(tree) - set(NAMES)
    lines = source.split("\n")
    seen = {(n.lineno, n.name) for n in tree.find_all(nodes.Name) if n.name in unknown}
    for number, name in sorted(seen):
        found = re.search(rf"\b{name}\b", lines[number - 1])
        column = found.start() + 1 if found else 1
        span = Span(file, number, column, number, column + (len(name) if found else 0))
        hint = did_you_mean(name, NAMES)
        yield Diagnostic("FLO111", f'template: "{name}" is not known here', span, hint=hint)


def _values(
    fleet_name: str, host: ResolvedHost, instance: ResolvedInstance, pair: Failover
) -> Mapping[str, object]:
    values: dict[str, object] = {
        "address": str(instance.addresses[0].value),
        "addresses": tuple(str(address.value) for address in instance.addresses),
        "directory": instance.paths.directory,
        "fleet": fleet_name,
        "host": host.name,
        "instance": instance.name,
        "peer": pair.peer,
        "peer_address": pair.peer_address,
        "peer_host": pair.peer_host,
        "role": pair.role.value,
        "tenants": tuple(tenant.value for tenant in instance.tenants),
    }
    if pair.peer_url:
        values["peer_url"] = pair.peer_url
    if host.file.address is not None:
        values["host_address"] = str(host.file.address.value)
    if instance.number is not None:
        values["number"] = str(instance.number)
    said = (pair.action_url, pair.failures, pair.interval_s, pair.validation_url)
    declared = zip(DECLARED, said, strict=True)
    return values | {name: str(one.value) for name, one in declared if one is not None}


def _limited(parts: Iterable[str]) -> str | None:
    """The text of all parts, None as soon as it is too long."""
    text: list[str] = []
    length = 0
    for part in parts:
        length += len(part)
        if length > MAX_CHARACTERS:
            return None
        text.append(part)
    return "".join(text)


def _said(text: str) -> str:
    """The words of jinja2 or Python in the form of our messages."""
    line = text.partition("\n")[0].rstrip(".") or "it cannot be rendered"
    return "template: " + (line[:1].lower() + line[1:] if line[1:2].islower() else line)


def _hint(error: Exception) -> str:
    missing = _UNDEFINED.search(str(error))
    if missing is not None and missing[1] in DECLARED:
        return f"no layer says failover.{missing[1]}; the product's own value is not documented"
    if missing is not None and missing[1] == "peer_url":
        return 'the secondary has no web server: name it within {% if role == "secondary" %} only'
    if missing is not None and missing[1] in NAMES:
        return f"neither the instance nor its host says what {missing[1]} is"
    return ""


def _control_character(character: str, span: Span) -> Diagnostic:
    message = f"template: a control character, U+{ord(character):04X}, would stand in the file"
    return Diagnostic("FLO112", message, span, hint="only text, tabs and line ends can be written")


def _too_long(span: Span) -> Diagnostic:
    return Diagnostic("FLO112", f"template: it makes more than {MAX_CHARACTERS} characters", span)


def _line(file: str, number: int) -> Span:
    return Span(file, number, 1, number, 1)


def _place(source: str, offset: int) -> tuple[int, int]:
    start = source.rfind("\n", 0, offset) + 1
    return source.count("\n", 0, offset) + 1, offset - start + 1


def _line_of(traceback: TracebackType | None) -> int:
    """The innermost line of the template in a traceback; 1 if none is there."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _JINJA_FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
