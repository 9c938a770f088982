"""The report page: one file with everything in it, which asks nobody for anything."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping

from pbxfleet.core.digest import sha256
from pbxfleet.model.folding import ranges
from pbxfleet.model.host_map import Use
from pbxfleet.model.picture import FleetPicture
from pbxfleet.report.html import Markup, element, joined
from pbxfleet.report.page_attention import attention
from pbxfleet.report.page_fleet import (
    attention_list,
    figures,
    findings_table,
    hosts_table,
    losses_table,
    pairs_table,
)
from pbxfleet.report.page_host import host_section
from pbxfleet.report.page_ids import host_id
from pbxfleet.report.page_slots import WORDS
from pbxfleet.report.summary import counted

OPEN_UP_TO = 2  # hosts whose maps are not folded
SHORT: Mapping[str, str] = {  # the sections, in their order, as the contents name them
    "attention": "Attention",
    "overview": "At a glance",
    "hosts": "Hosts",
    "lost": "Failover",
    "findings": "Checks",
    "sources": "Sources",
}
WITHOUT_HOSTS = ("attention", "overview", "findings")


def page(picture: FleetPicture, style: str) -> bytes:
    """The whole page; the same bytes for the same picture. `style` is the text of its style sheet."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{picture.name}: fleet report"),
        element("style", Markup(style)),
    )
    names = tuple(SHORT) if picture.hosts else WITHOUT_HOSTS
    body = element(
        "body",
        element("a", "Skip to the content", href="#content", class_="skip"),
        _patterns(),
        element("header", element("h1", picture.name), figures(picture)),
        _contents(picture, names),
        element("main", _sections(picture, names), id="content", tabindex="-1"),
    )
    document = element("html", head, body, lang="en")
    return f"<!doctype html>\n{document}\n".encode()


def _policy(style: str) -> str:
    """Nothing may be fetched, run, framed or sent; the one style is named by its digest."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _sections(picture: FleetPicture, names: Collection[str]) -> Markup:
    hosts = picture.hosts
    is_open = len(hosts) <= OPEN_UP_TO
    none = element(
        "p",
        "No host is declared yet. A file ",
        element("code", "desired/hosts/NAME.toml"),
        " declares one; then this page has a map of it.",
        class_="empty",
    )
    losses = joined((pairs_table(hosts), element("h3", "If a host is lost"), losses_table(hosts)))
    parts = [
        ("attention", "What needs attention", attention_list(attention(picture))),
        ("overview", "Hosts at a glance", hosts_table(hosts) if hosts else none),
        ("hosts", "Hosts", joined((_legend(), (host_section(h, is_open=is_open) for h in hosts)))),
        ("lost", "Failover", losses),
        ("findings", "What the checks say", findings_table(picture.findings)),
        ("sources", "What this page knows", _sources(picture)),
    ]
    return joined(
        element(
            "section",
            element("h2", title, id=f"h:{name}"),
            content,
            id=name,
            aria_labelledby=f"h:{name}",
        )
        for name, title, content in parts
        if name in names
    )


def _contents(picture: FleetPicture, names: Iterable[str]) -> Markup:
    hosts = element(
        "ul",
        (
            element("li", element("a", h.map.host, href=f"#{host_id(h.map.host)}"))
            for h in picture.hosts
        ),
    )
    items = [
        element(
            "li", element("a", SHORT[name], href=f"#{name}"), hosts if name == "hosts" else None
        )
        for name in names
    ]
    return element("nav", element("ul", items), aria_label="Contents")


def _sources(picture: FleetPicture) -> Markup:
    shown = len(picture.hosts)
    which = f"{shown} of {counted(picture.of, 'host')}" if shown < picture.of else "every host"
    rows = [("Declared", f"read from desired/ and resolved, for {which}")]
    rows += [(h.map.host, ", ".join(h.look.sources)) for h in picture.hosts if h.look.sources]
    unseen = [host.map.host for host in picture.hosts if not host.look.sources]
    if unseen:
        said = "pending changes, drift and restarts owed are not known"
        rows.append(("Not looked at", f"{ranges(unseen)}: {said}"))
    return element(
        "dl", (joined((element("dt", what), element("dd", text))) for what, text in rows)
    )


def _legend() -> Markup:
    items = [
        element(
            "li",
            element(
                "svg",
                element("rect", x=1, y=1, width=20, height=12, rx=2),
                class_=f"key {use}",
                width=22,
                height=14,
                aria_hidden="true",
            ),
            WORDS[use],
        )
        for use in Use
    ]
    return element("ul", items, class_="legend")


def _patterns() -> Markup:
    """Fillings, so that no state is told by its colour alone."""

    def pattern(name: str, *shapes: Markup, angle: int) -> Markup:
        return element(
            "pattern",
            element("rect", width=6, height=6, class_="ground"),
            shapes,
            id=f"p-{name}",
            width=6,
            height=6,
            patternUnits="userSpaceOnUse",
            patternTransform=f"rotate({angle})",
        )

    line = element("rect", width=2, height=6, class_="line")
    cross = element("rect", width=6, height=2, class_="line")
    dot = element("circle", cx=3, cy=3, r=1.2, class_="line")
    definitions = element(
        "defs",
        pattern("reserved", line, angle=45),
        pattern("foreign", line, cross, angle=45),
        pattern("system", dot, angle=0),
        pattern("own", cross, angle=0),
    )
    return element("svg", definitions, width=0, height=0, class_="patterns", aria_hidden="true")
