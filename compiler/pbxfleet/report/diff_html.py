"""A diff of revisions as one HTML page that needs nothing else: no network, no scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.folding import ranges
from pbxfleet.model.revisions import RevisionDiff
from pbxfleet.report.diff_blocks import Block, sections
from pbxfleet.report.diff_body import body
from pbxfleet.report.diff_ignored import HEADING, ignored_lines, ignored_sections
from pbxfleet.report.diff_text import headline, hosts_text, remarks, side, title
from pbxfleet.report.paint import visible

STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; border-radius: .3rem; }
summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
.add { color: light-dark(#116329, #56d364); } .del { color: light-dark(#a40e26, #ff7b72); }
.at { color: light-dark(#6639ba, #d2a8ff); } .note { color: light-dark(#953800, #ffa657); }
.restart { color: light-dark(#a40e26, #ff7b72); } .live { color: light-dark(#7d4e00, #e3b341); }
@media print { details > *:not(summary) { display: block; } }
"""
CLASSES = {"+": "add", "-": "del", "@": "at", "!": "note"}


def diff_html(found: RevisionDiff) -> str:
    """The whole diff as a page."""
    return "\n".join(_page(found)) + "\n"


def _page(found: RevisionDiff) -> Iterator[str]:
    heading = escape(headline(found))
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>pbxfleet diff: {heading}</title><style>"
    yield f"{STYLE}</style></head><body><main>"
    yield f"<h1>{heading}</h1>"
    yield f"<p>{_code(side(found.before))} to {_code(side(found.after))}</p>"
    notes = [f"<li>{_text(note)}</li>" for note in remarks(found)]
    yield from ("<ul>", *notes, "</ul>") if notes else ()
    yield from _findings("New findings of the checks", found.new)
    yield from _findings("Fixed", found.fixed)
    for section in sections(found):
        word = "Host" if len(section.hosts) == 1 else f"{len(section.hosts)} hosts:"
        yield f"<h2>{word} {_code(ranges(section.hosts))}</h2>"
        for block in section.blocks:
            yield from _block(block, found)
    for section in ignored_sections(found):
        yield f"<h2>{_text(HEADING.capitalize())}, {_text(hosts_text(section))}</h2>"
        for block in section.blocks:
            names = _code(title(block, found.hosts))
            yield f"<details open><summary>{names}</summary><pre>"
            yield from map(escape, ignored_lines(block))
            yield "</pre></details>"
    yield "</main></body></html>"


def _findings(heading: str, found: Sequence[Diagnostic]) -> Iterator[str]:
    if not found:
        return
    yield f"<h2>{heading} ({len(found)})</h2><ul>"
    for d in found:
        place = f"{d.span}: " if d.span is not None else ""
        yield f"<li>{_code(f'{place}{d.severity}[{d.code}]: {d.message}')}</li>"
    yield "</ul>"


def _block(block: Block, found: RevisionDiff) -> Iterator[str]:
    pattern = block.pattern
    cost = f'<b class="{pattern.impact}">{pattern.action}, {pattern.impact}</b>'
    names = _code(title(block, found.hosts))
    yield f"<details open><summary>{cost} {names}: {_text(pattern.reason)}</summary><pre>"
    for line in body(block, found):
        style = CLASSES.get(line[:1], "")
        text = escape(line)
        yield f'<span class="{style}">{text}</span>' if style else text
    yield "</pre></details>"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    return escape(visible(text))
