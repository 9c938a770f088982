"""Ids of the report page. A name has no colon, so that no two of them are the same."""

from __future__ import annotations


def host_id(name: str) -> str:
    """The id of a host's section."""
    return f"host:{name}"
