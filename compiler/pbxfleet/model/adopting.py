"""Drift that becomes the declaration: what the live values would be called, and where they are written."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pbxfleet.core.span import Span


class AdoptLayer(StrEnum):
    """Where a value is written: for one instance, for all of a host, for all of the fleet."""

    INSTANCE = "instance"
    HOST = "host"
    FLEET = "fleet"


class Wish(NamedTuple):
    """A live value in the words of the format: `keys` of a layer, and what stands there.

    `name` is what drifted, as `drift` names it. `origin` is the place that gives the present value.
    `live` is the element of pbx.xml as it is, "" where the value is no single element.
    """

    instance: str
    resource: str
    name: str
    keys: tuple[str, ...]
    value: str
    origin: Span
    live: str = ""


class LeftOut(NamedTuple):
    """Drift that no edit can declare, and why."""

    instance: str
    resource: str
    name: str
    why: str


class Adoption(NamedTuple):
    """A value that is to be written at `keys` of a file, for all these wishes.

    `why` says why in this layer. `others` are instances that get the value too and have not drifted
    to it.
    """

    file: str
    layer: AdoptLayer
    keys: tuple[str, ...]
    value: str
    wishes: tuple[Wish, ...]
    why: str
    others: tuple[str, ...] = ()
