"""Whether a presented certificate is valid today."""

from __future__ import annotations

import time

from pbxfleet.host import ber
from pbxfleet.model.asking import Answer

VERSION = 0xA0  # [0] EXPLICIT, absent in version 1: RFC 5280, section 4.1


def presented(der: bytes | None) -> Answer:
    """The last moment of its validity as text; a problem if there is no certificate or it is not valid."""
    if not der:
        return Answer(0, b"", "no certificate is presented")
    first, last = validity(der)
    now = time.strftime("%Y%m%d%H%M%SZ", time.gmtime())
    if last < now:
        return Answer(0, b"", f"the certificate has expired on {_day(last)}")
    if first > now:
        return Answer(0, b"", f"the certificate is not valid before {_day(first)}")
    return Answer(0, _day(last).encode(), "")


def validity(der: bytes) -> tuple[str, str]:
    """First and last moment of a certificate (RFC 5280) as YYYYMMDDhhmmssZ; ValueError if it is none."""
    part = ber.read(ber.inside(ber.inside(der, ber.SEQUENCE).content, ber.SEQUENCE).content)
    if part.tag == VERSION:
        part = ber.read(part.rest)
    algorithm = ber.inside(part.rest, ber.SEQUENCE)
    issuer = ber.inside(algorithm.rest, ber.SEQUENCE)
    times = ber.inside(issuer.rest, ber.SEQUENCE)
    first = ber.read(times.content)
    return _moment(first), _moment(ber.read(first.rest))


def _moment(part: ber.Part) -> str:
    text = part.content.decode("ascii")
    if part.tag == ber.UTC_TIME:  # two digits of a year from 1950 to 2049: section 4.1.2.5.1
        return ("19" if text >= "50" else "20") + text
    if part.tag != ber.GENERALIZED_TIME:
        raise ValueError("no time")
    return text


def _day(moment: str) -> str:
    return f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}"
