"""JSON Schema of single values: what an editor and other validators can tell without the program.

A shape never refuses what the readers take: a file is TOML or YAML, and text without quotes may be a
number or a truth value to a YAML parser that does not know the format. Patterns are in the common
part of ECMA 262 (with `u`), Rust and Python: no look-around, nothing escaped that need not be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pbxfleet.schema import names

Shape = dict[str, Any]

UNIT = "x-unit"
"""Annotation of numbers: what is counted, or what the number names."""

PORT_NUMBER = "port number"
CORE_NUMBER = "number of a core, counted from 0"

# 15 bytes are what the kernel keeps of a name (IFNAMSIZ); a colon would make an alias.
DEVICE_PATTERN = "^[A-Za-z0-9_.-]{1,15}$"

_BLANKLESS = r"\S(.*\S)?"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = f"{_OCTET}([.]{_OCTET}){{3}}"
_H16 = "[0-9A-Fa-f]{0,4}"
_IPV6 = f"({_H16}(:{_H16}){{2,8}}|{_H16}(:{_H16}){{1,6}}:{_IPV4})"
_ADDRESS = f"({_IPV4}|{_IPV6})"
_PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_BOUND = rf"({_IPV4}|\[{_IPV6}\]):{_PORT}"
_PLACEHOLDER = rf"\{{({'|'.join(names.PLACEHOLDERS)})\}}"
_ROOT = r"(/|[A-Za-z]:[/\\])"
_PATH = rf"([^{{}}]|{_PLACEHOLDER})*"
_END = rf"([^{{}}\s]|{_PLACEHOLDER})"


def text(pattern: str = _BLANKLESS, **more: Any) -> Shape:
    """Text for a pattern; without quotes YAML may take it for something else."""
    return {"type": ["string", "number", "boolean"], "pattern": f"^{pattern}$", **more}


def strict_text(pattern: str) -> Shape:
    """Text that looks like nothing else, also without quotes."""
    return {"type": "string", "pattern": f"^{pattern}$"}


def number(low: int, high: int, unit: str, **more: Any) -> Shape:
    """A whole number of `unit`, both ends included."""
    return {"type": "integer", "minimum": low, "maximum": high, UNIT: unit, **more}


def words(choices: Iterable[object]) -> Shape:
    """One of some words."""
    return {"enum": [str(choice) for choice in choices]}


def either(*shapes: Mapping[str, Any]) -> Shape:
    """Any of them."""
    return {"anyOf": [dict(shape) for shape in shapes]}


FORMAT: Shape = {"const": 1, UNIT: "number of the file format"}
LEDGER_FORMAT: Shape = {"enum": [1, 2], UNIT: "number of the file format"}
# To parsers of YAML 1.1, `off` without quotes is the truth value; where a file is read, it is text.
OFF: Shape = {"enum": ["off", False], "$comment": "write off"}
TRUTH: Shape = {"type": "boolean"}
TEXT = text()
TENANT = text(names.DNS_PATTERN, maxLength=names.MOST_OF_DNS)
NAME = text(names.NAME_PATTERN[1:-1])
SETTING: Shape = {"type": ["string", "number", "boolean"]}
ELEMENT = {"type": ["string", "boolean"], "pattern": names.ELEMENT_SCHEMA_PATTERN}
SECRET = {"type": ["string", "number", "boolean"], "pattern": names.REFERENCE_PATTERN}
DIGEST = {"type": ["string", "number"], "pattern": names.DIGEST_PATTERN}
VERSION = {"type": ["string", "number"], "pattern": names.VERSION_PATTERN}

ADDRESS = strict_text(_ADDRESS)
ADDRESS_RANGE = strict_text(f"{_ADDRESS}(-{_ADDRESS})?")
INTERFACE_ADDRESS = strict_text(f"{_ADDRESS}/([0-9]{{1,3}}|{_IPV4})")
NETWORK = strict_text(f"{_ADDRESS}(/([0-9]{{1,3}}|{_IPV4}))?")
# Interfaces may be called as a number is written: VLANs are.
DEVICE: Shape = {"type": ["string", "number", "boolean"], "pattern": DEVICE_PATTERN}
PORT = number(1, 65535, PORT_NUMBER)
PORT_RANGE = strict_text(f"0*{_PORT}-0*{_PORT}")
BINDS = strict_text(rf"({_PORT} +)*{_BOUND}( +({_BOUND}|{_PORT}))*")
CORES = either(
    strict_text(" *[0-9]{1,5}(-[0-9]{1,5})?( *, *[0-9]{1,5}(-[0-9]{1,5})?)* *"),
    {"const": 0},
)

AMOUNT: Shape = {
    "type": ["number", "string"],
    "minimum": 0,
    "pattern": "^(0|[1-9][0-9]{0,11})([.][0-9]{1,4})?$",
    UNIT: "of the currency",
}
CURRENCY = strict_text("[A-Z]{3}")
HOLDER = text("[a-z0-9]([a-z0-9-]*[a-z0-9])?( [1-9][0-9]{0,3})?")

HOST_PATH = strict_text(rf"{_ROOT}(.*\S)")
PATH = strict_text(f"{_ROOT}{_PATH}{_END}")
PATH_OF_INSTANCE = strict_text(rf"{_ROOT}{_PATH}\{{instance\}}({_PATH}{_END})?")
REPOSITORY_FILE = text(r"[^/~\\\s]([^\\]*[^\\\s])?")
SOURCE = strict_text(r"(https://[^/\s@?#]+/\S+|file:([^/]|[^/].*\S))")
