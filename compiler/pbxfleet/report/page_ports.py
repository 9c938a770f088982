"""RTP ports as drawings. All drawings of one host have the same axis, linear in ports."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.model.host_map import PortMap, Run, Use
from pbxfleet.report.html import Markup, element
from pbxfleet.report.page_slots import WORDS
from pbxfleet.report.summary import counted

_STEPS = (256, 512, 1024, 2048, 4096, 8192, 16384)
_INTERVALS_AT_MOST = 3
_HEIGHT = 14


def bar(ports: PortMap, own: tuple[int, int]) -> Markup:
    """The ports of one instance: the unit of the drawing is one port, so its numbers are the ports."""
    first, last = own
    return element(
        "svg",
        element("rect", x=first, width=last - first + 1, height=1),
        class_="ports",
        viewBox=f"{ports.first} 0 {ports.size} 1",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def axis(ports: PortMap) -> Markup:
    """Numbers above the bars, at their places, and all ports of the host below them by use."""
    marks = list(_marks(ports))
    lines = [
        element("line", x1=_at(ports, mark), x2=_at(ports, mark), y1=14, y2=18) for mark in marks
    ]
    return element(
        "svg",
        [_number(ports, mark) for mark in marks],
        lines,
        [_band(ports, run) for run in ports.runs if run.use is not Use.FREE],
        class_="axis",
        width="100%",
        height=18 + _HEIGHT,
        aria_hidden="true",
    )


def port_words(ports: PortMap) -> str:
    """What of the ports is used, kept back and free."""
    counts: dict[Use, int] = {}
    for run in ports.runs:
        counts[run.use] = counts.get(run.use, 0) + run.size
    words = {**WORDS, Use.USED: "used by an instance"}
    parts = [f"{counts[use]} {words[use]}" for use in Use if use in counts]
    return f"{counted(ports.size, 'RTP port')}: {', '.join(parts)}"


def _at(ports: PortMap, port: int) -> str:
    """The place of a port as a part of the width."""
    return f"{(port - ports.first) / ports.size * 100:.4f}%"


def _band(ports: PortMap, run: Run) -> Markup:
    who = ", ".join(run.names[:8]) + (" …" if len(run.names) > 8 else "")
    title = f"{run.first}-{run.last}: {WORDS[run.use]}"
    return element(
        "rect",
        element("title", title + (f" ({run.why or who})" if run.why or who else "")),
        class_=str(run.use),
        x=_at(ports, run.first),
        width=f"{run.size / ports.size * 100:.4f}%",
        y=19,
        height=_HEIGHT - 2,
    )


def _marks(ports: PortMap) -> Iterator[int]:
    """The first port, and round numbers that leave room for each other."""
    step = next((s for s in _STEPS if ports.size / s <= _INTERVALS_AT_MOST), _STEPS[-1])
    yield ports.first
    mark = (ports.first // step + 1) * step
    while mark <= ports.last:
        if mark - ports.first >= step * 0.7 and ports.last + 1 - mark >= step * 0.4:
            yield mark
        mark += step


def _number(ports: PortMap, port: int) -> Markup:
    anchor = "start" if port == ports.first else "middle"
    return element("text", port, x=_at(ports, port), y=11, text_anchor=anchor)
