"""Source lines as they are shown below diagnostics: without what must not be seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pbxfleet.app.masking import masked_at, masked_desired, masked_names, masked_pbx_xml
from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.pbx.key_table import NO_NAME
from pbxfleet.pbx.reference import readable
from pbxfleet.source.load import SUFFIXES
from pbxfleet.source.text import display_text

WRITTEN_OUT = ("SET105", "FMT125")


def shown_texts(files: Mapping[str, bytes], diagnostics: Collection[Diagnostic]) -> dict[str, str]:
    """Text of the files that the diagnostics point into, by name."""
    named = {d.span.file for d in diagnostics if d.span is not None}
    named |= {span.file for d in diagnostics for span, _ in d.related}
    return {name: _text(name, files[name], diagnostics) for name in named if name in files}


def _text(name: str, content: bytes, diagnostics: Collection[Diagnostic]) -> str:
    if any(d.code == NO_NAME and d.span and d.span.file == name for d in diagnostics):
        return masked_names(readable(content))
    if not name.endswith(SUFFIXES):
        return masked_pbx_xml(readable(content))
    shown = (d.span for d in diagnostics if d.code in WRITTEN_OUT and d.span is not None)
    text = masked_at(display_text(content), (span for span in shown if span.file == name))
    return masked_desired(text)
