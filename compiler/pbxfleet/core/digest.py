"""Digests: the only form in which contents are remembered."""

from collections.abc import Mapping, Sequence
from typing import NewType, TypeAlias

try:  # the C module alone starts faster than hashlib, which loads every algorithm
    from _hashlib import openssl_sha256 as sha256
except ImportError:  # a Python without OpenSSL
    from hashlib import sha256

__all__ = ["Canonical", "Digest", "digest_of", "digest_of_data", "sha256"]

Digest = NewType("Digest", str)

Canonical: TypeAlias = "bool | int | str | Sequence[Canonical] | Mapping[str, Canonical] | None"


def digest_of(content: bytes) -> Digest:
    """`sha256:` and 64 lower-case hex digits."""
    return Digest("sha256:" + sha256(content).hexdigest())


def digest_of_data(data: "Canonical") -> Digest:
    """Digest of plain data; equal data give equal digests whatever the order of their keys."""
    import json

    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return digest_of(text.encode("ascii"))
