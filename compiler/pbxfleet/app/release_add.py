"""New releases: two files into the store, and the lines that pin them; what a vendor's list proposes."""

from __future__ import annotations

import json
from typing import NamedTuple

from pbxfleet.app.release import Releases
from pbxfleet.app.release_fetch import bring
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import read_file, write_file
from pbxfleet.model.desired import ReleaseFile
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES
from pbxfleet.pbx.release_manifest import (
    LARGEST_BYTES,
    ManifestError,
    ManifestFile,
    of_platform,
    read_manifest,
)
from pbxfleet.pbx.versions import parse_version
from pbxfleet.source.load import load

BLOCK = """
[releases.{name}]{version}
pbxctrl = {{ source = {pbxctrl}, sha256 = "{pbxctrl_sha256}" }}
dat = {{ source = {dat}, sha256 = "{dat_sha256}" }}
reference = {reference}{comment}
"""


class Added(NamedTuple):
    """The lines for fleet.toml, and the file that they were written into ("": to be pasted)."""

    name: str
    block: str
    digests: dict[str, str]
    written: str


def add(releases: Releases, name: str, sources: list[str], *, write: bool) -> Added:
    """Take the two files of a new release into the store and pin them by the digests they have.

    Refused if the name is taken, or if it is not clear which of the files is the executable.
    """
    if name in releases.declared:
        raise Refused(
            f"the release {name} is declared already",
            hint="pbxfleet release fetch brings its files; a release never changes its digests",
        )
    by_file = _told_apart(sources)
    target = _fleet_toml(releases) if write else ""
    stored = {file: bring(releases, source) for file, source in by_file.items()}
    block = _block(releases, name, by_file, {f: s.sha256 for f, s in stored.items()})
    if write:
        _append(releases, target, block)
    return Added(name, block, {f: s.sha256 for f, s in stored.items()}, target)


def _told_apart(sources: list[str]) -> dict[str, str]:
    """The executable and the resource bundle: that of the two whose name ends in .dat."""
    bundles = [s for s in sources if s.partition("?")[0].lower().endswith(".dat")]
    if len(sources) != 2 or len(bundles) != 1:
        raise Refused(
            "a release is two files: the executable, and one whose name ends in .dat",
            hint="pbxfleet release add 70.6 pbxctrl pbxctrl.dat",
        )
    executable = next(s for s in sources if s not in bundles)
    return {EXECUTABLE: executable, RESOURCES: bundles[0]}


def _block(releases: Releases, name: str, by_file: dict[str, str], digests: dict[str, str]) -> str:
    folder = releases.desired.fleet.artefacts
    origin = {
        file: source if source.startswith("https://") else f"file:{folder}/{digests[file]}"
        for file, source in by_file.items()
    }
    newest = _newest(releases)
    own = f"reference/pbx-{name}.xml"
    reference = own if newest is None else newest.reference.value
    comment = "" if newest is None else f"  # of {newest.name}, until there is one of {name}"
    if newest is not None and newest.reference_address:
        addresses = json.dumps([str(a.value) for a in newest.reference_address])
        comment += f"\nreference_address = {addresses}"
    return BLOCK.format(
        name=json.dumps(name),
        version="" if parse_version(name) else '\n# version = "..."  # what pbxctrl --version says',
        pbxctrl=json.dumps(origin[EXECUTABLE]),
        pbxctrl_sha256=digests[EXECUTABLE],
        dat=json.dumps(origin[RESOURCES]),
        dat_sha256=digests[RESOURCES],
        reference=json.dumps(reference),
        comment=comment,
    )


def _newest(releases: Releases) -> ReleaseFile | None:
    known = list(releases.declared.values())
    ordered = [r for r in known if parse_version(r.version_text)] or known
    return ordered[-1] if ordered else None


def _fleet_toml(releases: Releases) -> str:
    name = releases.desired.fleet.span.file
    if not name.endswith(".toml"):
        raise Refused(
            f"{name} is not TOML, so nothing is written into it",
            hint="leave --write out, and write the release in yourself",
        )
    return name


def _append(releases: Releases, name: str, block: str) -> None:
    """A table at the end of a TOML file changes nothing that stands before it."""
    path = f"{releases.repository}/{name}"
    before = read_file(path) or b""
    after = before + (b"" if before.endswith(b"\n") or not before else b"\n") + block.encode()
    if load(name, after).value is None:
        raise Refused(
            f"{name} would not be valid any more, so nothing is written",
            hint="leave --write out, and write the release in yourself",
        )
    write_file(path, after, 0o644)


class Listed(NamedTuple):
    """A vendor's list, and what it proposes for one platform: sources by file, and what is unclear."""

    files: tuple[ManifestFile, ...]
    sources: dict[str, str]
    unclear: tuple[str, ...]


def read_list(source: str, platform: str | None) -> Listed:
    """The files of `version-<V>.xml`, and with a platform the sources of the two that are needed.

    Nothing is guessed: a name that fits twice, or a link that is not https, is only shown.
    """
    try:
        files = read_manifest(_content(source))
    except ManifestError as error:
        raise Refused(f"{source.partition('?')[0]}: {error}", code="REL112") from error
    if platform is None:
        return Listed(files, {}, ())
    known = {f.os for f in files} - {""}
    if platform not in known:
        words = ", ".join(sorted(known)) or "no platform at all"
        raise Refused(f"the list has no files for {platform}", hint=f"it names {words}")
    own = of_platform(files, platform)
    sources: dict[str, str] = {}
    unclear: list[str] = []
    for file, fitting in (
        (EXECUTABLE, [f for f in own if f.is_executable]),
        (RESOURCES, [f for f in own if f.is_resources]),
    ):
        links = [f.link for f in fitting]
        if len(links) != 1:
            unclear.append(f"{len(links)} files of {platform} can be {file}: look at the list")
        elif not links[0].startswith("https://"):
            unclear.append(
                f"{file}: {links[0]} is not https; find out whether https gives the same"
            )
        else:
            sources[file] = links[0]
    return Listed(files, sources, tuple(unclear))


def _content(source: str) -> bytes:
    if source.startswith("https://"):
        from pbxfleet.host.download import DEFAULT, download_bytes

        return download_bytes(source, DEFAULT._replace(largest_bytes=LARGEST_BYTES))
    content = read_file(source)
    if content is None:
        raise Refused(f"{source} does not exist", hint="name a file, or an https address")
    return content
