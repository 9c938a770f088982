"""Examples of diagnostic pages: whole files that are laid over the base fleet and looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pbxfleet.core.diagnostics import Diagnostic, in_order
from pbxfleet.model.desired import Desired
from pbxfleet.model.judged import Scope
from pbxfleet.pbx.key_table import with_key_table
from pbxfleet.pbx.reference import read_reference
from pbxfleet.resolve import resolve_and_check
from pbxfleet.resolve.judge import judge
from pbxfleet.schema import read_ledger, validate
from pbxfleet.source.load import load
from support.tree import PACKAGE

PAGES = PACKAGE / "pages"
BASE = Path(__file__).parent / "basefleet"
LEDGER = "desired/ledger.toml"
TODAY = "2026-11-22"

_FENCE = re.compile(r"^```\w+\n(?:#|<!--) (desired/\S+)(?: -->)?\n(.*?)^```$", re.M | re.S)


def base_fleet() -> dict[str, bytes]:
    """The files of the base fleet by their names in the repository."""
    files = (path for path in sorted(BASE.rglob("*")) if path.is_file())
    return {path.relative_to(BASE).as_posix(): path.read_bytes() for path in files}


def examples(code: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of the bad and the good example; both empty where the page has prose only.

    The first line of a file, which names it, stays in it, so that places are those of the page.
    """
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    _, bad, rest = re.split(r"^## (?:Bad|Good)$", text, flags=re.M)
    good = rest.partition("\n## What to do\n")[0]
    return _files(bad), _files(good)


def _files(section: str) -> dict[str, bytes]:
    found = _FENCE.finditer(section)
    return {
        match[1]: (f"# {match[1]}\n{match[2]}" if _has_comments(match[1]) else match[2]).encode()
        for match in found
    }


def _has_comments(name: str) -> bool:
    return not name.endswith(".xml")


def laid_over(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The base fleet with these files; a file of an instance replaces that of another suffix."""
    stems = {name.rpartition(".")[0] for name in files}
    base = {n: c for n, c in base_fleet().items() if n.rpartition(".")[0] not in stems}
    return {**base, **files}


def found_in_bad_example(code: str) -> list[Diagnostic]:
    """What is said with this code of the bad example: at a place, with a hint, as a sentence without dot."""
    bad, _ = examples(code)
    found = [one for one in diagnose(laid_over(bad)) if one.code == code]
    assert bad and found
    for diagnostic in found:
        assert diagnostic.hint
        assert diagnostic.span is not None
        assert not diagnostic.message.endswith(".")
    return found


def diagnose(files: Mapping[str, bytes]) -> tuple[Diagnostic, ...]:
    """Everything that loading, validating, resolving and checking say about these files."""
    found: list[Diagnostic] = []
    documents = {}
    for name, content in files.items():
        if name.endswith((".toml", ".yaml")):
            loaded = load(name, content)
            found += loaded.diagnostics
            if loaded.value is not None:
                documents[name] = loaded.value
    ledger = read_ledger(documents.pop(LEDGER, None))
    desired = validate(documents).outcome
    found += [*ledger.diagnostics, *desired.diagnostics]
    if desired.value is None or ledger.value is None:
        return in_order(found)
    references = {}
    for name, release in desired.value.fleet.releases.items():
        file = f"desired/{release.reference.value}"
        read = read_reference(file, files[file]) if file in files else None
        if read is not None:
            found += read.diagnostics
            if read.value is not None:
                references[name] = read.value
                if release.settings is not None:
                    table = f"desired/{release.settings.value}"
                    references[name], said = with_key_table(
                        read.value, release, table, files.get(table)
                    )
                    found += said
    resolution = resolve_and_check(desired.value, references, ledger.value)
    found += resolution.outcome.diagnostics
    return judge(found, desired.value.fleet.judging, scope(desired.value), codes(), TODAY)[0]


def scope(desired: Desired) -> Scope:
    """Who is who in a fleet that is sound as far as it is read."""
    hosts = {name: file.host.value for name, file in desired.instances.items()}
    files = {file.span.file: f"{hosts[name]}/{name}" for name, file in desired.instances.items()}
    return Scope(hosts, files | {file.span.file: name for name, file in desired.hosts.items()})


def codes() -> tuple[str, ...]:
    """Every code that has a page."""
    return tuple(sorted(page.stem for page in PAGES.glob("*.md")))
