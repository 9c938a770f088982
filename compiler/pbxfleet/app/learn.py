"""Proposals for [catalogue] from the pbx.xml of an installed instance."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

from pbxfleet.app.masking import masked_pbx_xml
from pbxfleet.core.diagnostics import Severity
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.disk import read_file
from pbxfleet.model.net import Address
from pbxfleet.pbx.key_table import names_in
from pbxfleet.pbx.reference import Proposal, learn, read_reference, readable
from pbxfleet.pbx.xml_text import PbxXmlError
from pbxfleet.source.excerpt import render

HEAD = """\
# Proposals for [catalogue] in fleet.toml, from {file}.
# Names marked "confirmed" are documented by the vendor and need no line. All others are told by the
# look of value and name only: compare them with the administration page before you copy them.
[catalogue]
"""


class Learned(NamedTuple):
    """Text to copy from, the same as data, and what is to be said about the file."""

    text: str
    proposals: list[dict[str, Any]]
    warnings: str


def learn_file(file: str, addresses: Sequence[str]) -> Learned:
    """Proposals from a file; Refused if it cannot be read or understood."""
    try:
        content = read_file(file)
    except HostError as error:
        raise Refused(f"{file}: {error.message}") from error
    if content is None:
        raise Refused(f"{file} does not exist", hint="name a pbx.xml of an installed instance")
    outcome = read_reference(file, content)
    if outcome.value is None:
        text = render(outcome.diagnostics, {file: masked_pbx_xml(readable(content))})
        raise Refused(f"{file} cannot be used as a reference file\n{text.rstrip()}")
    found = learn(outcome.value, [_address(a) for a in addresses])
    warnings = [d for d in outcome.diagnostics if d.severity is not Severity.ADVICE]
    said = render(warnings, {file: masked_pbx_xml(readable(content))})
    lines = [HEAD.format(file=file), *(_line(p) for p in found)]
    return Learned("".join(lines), [_data(p) for p in found], said)


NAMES_HEAD = """\
# Settings that the release knows, learned from {file}: one name a line.
# [releases.NAME] settings = "reference/..." makes this list exact: any other setting is refused.
"""


class LearnedNames(NamedTuple):
    """A list of names as text and as data. No value of the file is in it."""

    text: str
    names: tuple[str, ...]


def learn_names(file: str, piped: bytes | None = None) -> LearnedNames:
    """Names of all settings in a pbx.xml, or in the JSON of GET /rest/system/config.

    `piped` is the content where it does not come from a file: the JSON of a PBX holds its secrets.
    """
    try:
        content = read_file(file) if piped is None else piped
        if content is None:
            raise Refused(
                f"{file} does not exist", hint="name a pbx.xml, or the JSON of the settings"
            )
        names = names_in(content)
    except HostError as error:
        raise Refused(f"{file}: {error.message}") from error
    except (ValueError, RecursionError) as error:
        # The text of the error is our own or that of a parser, with places and never with a value.
        raise Refused(
            f"{file} is neither a pbx.xml nor a JSON object of settings: {_what(error)}",
            hint="GET /rest/system/config of a running instance gives one",
        ) from error
    head = NAMES_HEAD.format(file=file.rpartition("/")[2])
    return LearnedNames(head + "".join(f"{name}\n" for name in names), names)


def _what(error: Exception) -> str:
    if isinstance(error, PbxXmlError):
        return f"line {error.line}: {error.message}"
    return str(error) if type(error) is ValueError else type(error).__name__


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise Refused(f"--address {text}: {error}") from error


def _line(proposal: Proposal) -> str:
    comment = (
        f"{proposal.confidence}: {proposal.why} ({proposal.value!r}, line {proposal.span.line})"
    )
    if proposal.confidence == "confirmed" or proposal.role == "?":
        return f"# {proposal.role} = {proposal.name!r}  {comment}\n"
    return f'{proposal.role} = "{proposal.name}"  # {comment}\n'


def _data(proposal: Proposal) -> dict[str, Any]:
    data = proposal._asdict()
    span = data.pop("span")
    return {
        **data,
        "role": str(proposal.role),
        "file": span.file,
        "line": span.line,
        "column": span.column,
    }
