"""Records as bytes and back, for what is kept between runs.

Only records of this program can come back: bytes that name anything else are refused, so that a
foreign file in the cache can make nothing run.
"""

from __future__ import annotations

import io
import pickle
import sys
from ipaddress import IPv4Address, IPv6Address

OURS = ("pbxfleet.core.", "pbxfleet.model.", "pbxfleet.resolve.", "pbxfleet.app.")
OTHERS = {(kind.__module__, kind.__qualname__): kind for kind in (IPv4Address, IPv6Address)}


class Foreign(pickle.UnpicklingError):
    """The bytes name something that is no record of this program."""


def freeze(record: object) -> bytes:
    """The record (tuples, mappings, texts, numbers, our named tuples, dataclasses, enums) as bytes."""
    return pickle.dumps(record, protocol=5)


def thaw(content: bytes) -> object:
    """The record that `freeze` made the bytes of; None if they are anything else."""
    try:
        return _Reader(io.BytesIO(content)).load()
    except Exception:
        return None


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        known = OTHERS.get((module, name))
        if known is not None:
            return known
        found = getattr(sys.modules.get(module), name, None) if module.startswith(OURS) else None
        if isinstance(found, type) and found.__module__ == module:
            return found
        raise Foreign(f"{module}.{name}")
