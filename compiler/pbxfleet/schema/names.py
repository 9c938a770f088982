"""Readers of names and paths: instances, elements of pbx.xml, secrets, files, templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.drives import from_windows
from pbxfleet.core.paths import HostPath, host_path
from pbxfleet.model.desired import Sourced
from pbxfleet.pbx.versions import parse_version
from pbxfleet.schema.problem import KEY, inside, problem
from pbxfleet.schema.scalars import scalar, text_of, truth_word
from pbxfleet.source.nodes import Kind, MappingNode, Node, ScalarNode, SequenceNode

PLACEHOLDERS = ("instance", "address", "number")

# Host names are labels of DNS (RFC 1123, section 2.1), and both stand in unit and file names.
NAME_PATTERN = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
NAME_RULE = "lower-case letters, digits and inner hyphens, at most 63"

# XML 1.0 (fifth edition), productions 4 and 4a, without the colon, which XML keeps for name spaces.
_XML_START = (
    "A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff"
    "\\u200c\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd"
    "\\U00010000-\\U000effff"
)
ELEMENT_PATTERN = f"^[{_XML_START}][{_XML_START}.0-9\\u00b7\\u0300-\\u036f\\u203f-\\u2040-]*$"

# The same for names of ASCII letters, in the common part of Python's and of JSON Schema's patterns.
ELEMENT_SCHEMA_PATTERN = r"^[^\x00-@\[-^`{-\x7f][^\x00-,/:-@\[-^`{-\x7f]*$"

REFERENCE_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$"
VERSION_PATTERN = r"^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,7}(\.beta)?$"
DIGEST_PATTERN = "^[0-9a-fA-F]{64}$"

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# What a tenant is reached by, and what certificates are made for (RFC 1123, section 2.1; RFC 1035).
DNS_PATTERN = f"{_LABEL}([.]{_LABEL})*"
MOST_OF_DNS = 253

_NAME = re.compile(NAME_PATTERN)
_DNS = re.compile(DNS_PATTERN)
_ASCII_ELEMENT = re.compile("[A-Za-z_][A-Za-z0-9_.-]*")
_SECRET = re.compile(REFERENCE_PATTERN)
_DIGEST = re.compile(DIGEST_PATTERN)
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")

# XML 1.0 production 2: no escape makes these characters legal in an element.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_SETTING = "text, a number, true or false, or a table with value or secret"


def is_name(name: str) -> bool:
    """Whether a host or an instance may be called so."""
    return _NAME.fullmatch(name) is not None


def is_element(name: str) -> bool:
    """Whether an element of pbx.xml can have this name: XML 1.0 production 5, without colons."""
    # Compiling the whole pattern takes 8 ms, as long as reading a hundred instances.
    if name.isascii():
        return _ASCII_ELEMENT.fullmatch(name) is not None
    return re.fullmatch(ELEMENT_PATTERN, name) is not None


def element_key(name: str) -> str:
    """A key that is the name of a pbx.xml element. Problems: FMT120."""
    if not is_element(name):
        raise problem(
            "FMT120",
            f'"{name}" cannot be the name of an element of pbx.xml',
            hint="letters, digits, underscores, hyphens and dots, with a letter first",
        )
    return name


def element(node: Node) -> Sourced[str]:
    """The name of a pbx.xml element. Problems: FMT120."""
    found = text_of(node, "the name of an element of pbx.xml")
    return Sourced(element_key(found.text), found.span)


def setting_text(node: Node) -> Sourced[str]:
    """A setting as it will stand in pbx.xml: text as it is, digits, `true` or `false`.

    Problems: FMT121 (a value with more than one spelling; characters that XML has no way to write).
    """
    if isinstance(node, MappingNode | SequenceNode):
        what = "list" if isinstance(node, SequenceNode) else "table"
        raise problem("FMT121", f"{KEY} must be {_SETTING}, not a {what}")
    found = scalar(node, _SETTING)
    match found.kind:
        case Kind.FRACTION | Kind.DATE:
            raise problem(
                "FMT121",
                f"{KEY} could be written into pbx.xml in several ways",
                hint=f'write "{found.text}"',
            )
        case Kind.INTEGER:
            return Sourced(str(found.value), found.span)
        case Kind.BOOLEAN:
            return Sourced("true" if found.value else "false", found.span)
        case Kind.PLAIN:
            return Sourced(truth_word(found.text), found.span)
    bad = _NOT_XML.search(found.text)
    if bad is not None:
        name = f"U+{ord(bad.group()):04X}"
        raise problem("FMT121", f"{KEY} holds {name}, which cannot be written in XML")
    return Sourced(found.text, found.span)


def secret(node: Node) -> Sourced[str]:
    """The name of a secret, such as `acme/admin`. Problems: FMT125."""
    found = text_of(node, "the name of a secret")
    if _SECRET.fullmatch(found.text) is None:
        raise problem(
            "FMT125",
            f"{KEY} is not the name of a secret",
            hint='names look like "acme/admin"; the secret itself is never written here',
        )
    return Sourced(found.text, found.span)


def sha256(node: Node) -> Sourced[str]:
    """64 hex digits, in lower case. Problems: FMT123."""
    found = text_of(node, "64 hex digits")
    if _DIGEST.fullmatch(found.text) is None:
        bare = found.text.removeprefix("sha256:")
        hint = f'write "{bare}"' if _DIGEST.fullmatch(bare) else "sha256sum FILE prints them"
        raise problem("FMT123", f"{KEY} must be 64 hex digits", hint=hint)
    return Sourced(found.text.lower(), found.span)


def version(node: Node) -> Sourced[str]:
    """A version of the PBX: numbers with dots, `.beta` for a pre-release. Problems: FMT128."""
    found = text_of(node, 'a version such as "70.5" or "70.3.beta"')
    if parse_version(found.text) is None:
        raise problem("FMT128", f'{KEY} must be a version such as "70.5" or "70.3.beta"')
    return Sourced(found.text, found.span)


def artefact_source(node: Node) -> Sourced[str]:
    """`file:` and a path relative to desired/, or an https URL. Problems: FMT123."""
    wanted = '"file:" and a path relative to desired/, or an https:// address'
    found = text_of(node, wanted)
    scheme, colon, rest = found.text.partition(":")
    if scheme == "https" and re.match("//[^/?#]*@", rest):
        raise problem(
            "FMT123",
            f"{KEY} holds a user or a password, which everybody who reads the repository would know",
            hint="serve the file without one, or fetch it by hand: pbxfleet release add",
        )
    if scheme == "https" and re.fullmatch(r"//[^/\s]+/\S+", rest):
        return Sourced(found.text, found.span)
    if scheme != "file" or not colon:
        hint = f'write "file:{found.text}"' if not colon else ""
        raise problem("FMT123", f"{KEY} must be {wanted}", hint=hint)
    if not rest or rest.startswith("/"):
        raise problem(
            "FMT123",
            f"{KEY} must be a path relative to desired/ after the colon",
            inside(found, len(scheme) + 1, max(1, len(rest))),
            hint="a path of one machine means nothing on another",
        )
    return Sourced(found.text, found.span)


def repository_path(node: Node) -> Sourced[str]:
    """The path of a file, relative to desired/. Problems: FMT115."""
    found = text_of(node, "a path relative to desired/")
    if found.text.startswith(("/", "~")) or "\\" in found.text:
        raise problem(
            "FMT115",
            f"{KEY} must be a path relative to desired/",
            hint="a path of one machine means nothing on another",
        )
    return Sourced(found.text, found.span)


def plain_host_path(node: Node) -> Sourced[HostPath]:
    """An absolute path on the host. Problems: FMT115."""
    found = text_of(node, "an absolute path on the host")
    return Sourced(_host_path(found, from_windows(found.text)), found.span)


def path_template(*, required: str | None = None) -> Callable[[Node], Sourced[str]]:
    """A reader of absolute paths with placeholders; `required` names one that must be there.

    Problems: FMT115, at the placeholder that is wrong.
    """
    known = ", ".join("{" + name + "}" for name in PLACEHOLDERS)

    def read(node: Node) -> Sourced[str]:
        found = text_of(node, "an absolute path on the host")
        for match in _BRACES.finditer(found.text):
            if match.group(1) not in PLACEHOLDERS:
                word = match.group(1)
                raise problem(
                    "FMT115",
                    f"{match.group()} is not a placeholder: known are {known}",
                    inside(found, match.start(), len(match.group())),
                    hint=did_you_mean(word, PLACEHOLDERS) if word else "",
                )
        text = from_windows(found.text)
        _host_path(found, _BRACES.sub("x", text))
        if required is not None and "{" + required + "}" not in found.text:
            raise problem(
                "FMT115",
                f"{KEY} must contain {{{required}}}",
                hint="instances that share this file overwrite each other's",
            )
        return Sourced(text, found.span)

    return read


def _host_path(node: ScalarNode, path: str) -> HostPath:
    try:
        found = host_path(path)
    except ValueError as error:
        raise problem("FMT115", f"{KEY} is not a path on the host: {error}") from None
    if found == "/":
        raise problem("FMT115", f"{KEY} is the root of the host")
    return found


def dns_name(what: str) -> Callable[[Node], Sourced[str]]:
    """A reader of names as the DNS has them, in lower case; `what` says whose. Problems: FMT129."""

    def read(node: Node) -> Sourced[str]:
        found = text_of(node, what)
        if _DNS.fullmatch(found.text) is None or len(found.text) > MOST_OF_DNS:
            hint = _better_dns(found.text) or f"labels of {NAME_RULE}, with dots between them"
            raise problem("FMT129", f'{KEY}: "{found.text}" is not a name of the DNS', hint=hint)
        return Sourced(found.text, found.span)

    return read


def _better_dns(text: str) -> str:
    """What to do about a text that is nearly a name."""
    lower = text.lower().strip(".")
    if _DNS.fullmatch(lower) and len(lower) <= MOST_OF_DNS:
        return f'write "{lower}"'
    if not text.isascii():
        return "write it as the DNS has it, with xn-- (RFC 5891)"
    return "write the name alone" if re.search("[:/@]", text) else ""


def fleet_name(node: Node) -> Sourced[str]:
    """The name of the fleet, with the letters that names of hosts have. Problems: FMT129."""
    found = text_of(node, "the name of the fleet")
    if not is_name(found.text):
        better = re.sub("[^a-z0-9]+", "-", found.text.lower()).strip("-")
        hint = f'for example "{better}"' if is_name(better) else ""
        raise problem("FMT129", f"{KEY} must be {NAME_RULE} characters", hint=hint)
    return Sourced(found.text, found.span)


ElementKey: TypeAlias = Annotated[
    str,
    AfterValidator(element_key),
    WithJsonSchema({"type": "string", "pattern": ELEMENT_SCHEMA_PATTERN}),
]


def format_number(node: Node) -> Sourced[int]:
    """The number of the file format. Problems: FMT103."""
    found = scalar(node, "1")
    if found.kind is Kind.QUOTED:
        raise problem("FMT107", f"{KEY} must be a number, not text", hint="write 1 without quotes")
    if (found.kind, found.text) in ((Kind.PLAIN, "1"), (Kind.INTEGER, "1")):
        return Sourced(1, found.span)
    raise _later_format(found, "1")


def ledger_format(node: Node) -> Sourced[int]:
    """The number of the ledger's format. Problems: FMT103."""
    found = scalar(node, "2")
    if found.kind is Kind.INTEGER and found.text in ("1", "2"):
        return Sourced(int(found.text), found.span)
    raise _later_format(found, "1 and 2")


def _later_format(found: ScalarNode, known: str) -> PydanticCustomError:
    return problem(
        "FMT103",
        f"{KEY} {found.text} is not known: this version reads format {known}",
        hint=f"write {known[-1]}, or use the version of pbxfleet that this fleet was written for",
    )
