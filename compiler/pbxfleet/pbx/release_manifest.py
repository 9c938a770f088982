"""The vendor's list of the files of one version: `version-<V>.xml`.

`file` elements with name, link, optional os (none: all platforms) and optional type="executable"; the
names may contain folders (https://github.com/VasilisVikos/vodia_windows_installer,
src/setup_runner.rs). Whether these are attributes or elements below is taken as it comes. Checksums
are not known to be in it.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

LARGEST_BYTES = 1 << 20
KEYS = ("name", "link", "os", "type")


class ManifestError(ValueError):
    """Why the document is not such a list."""


class ManifestFile(NamedTuple):
    """One file; `os` "" means all platforms, `type` is `executable` or ""."""

    name: str
    link: str
    os: str
    type: str

    @property
    def is_executable(self) -> bool:
        """Whether the list says that this is the program."""
        return self.type == "executable"

    @property
    def is_resources(self) -> bool:
        """Whether this is the resource bundle, which has its suffix in every scheme of the vendor."""
        return self.name.lower().endswith(".dat")


def read_manifest(content: bytes) -> tuple[ManifestFile, ...]:
    """The files in the order of the document; ManifestError if there are none, or it is no XML.

    Neither a DOCTYPE nor entities nor anything from the network are taken.
    """
    if len(content) > LARGEST_BYTES:
        raise ManifestError(f"has more than {LARGEST_BYTES} bytes")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ManifestError(f"is not XML: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ManifestError("has a DOCTYPE, which is not read")
    found = tuple(_file(element) for element in root.iter("file"))
    if not found:
        raise ManifestError("has no file elements")
    return found


def _file(element: etree._Element) -> ManifestFile:
    values = [(element.get(key) or element.findtext(key) or "").strip() for key in KEYS]
    found = ManifestFile(*values)
    if not found.name or not found.link:
        raise ManifestError(f"line {element.sourceline}: a file without name or link")
    return found


def of_platform(files: tuple[ManifestFile, ...], os: str) -> tuple[ManifestFile, ...]:
    """The files for one platform: those that name it, and those that name none."""
    return tuple(file for file in files if file.os in ("", os))
