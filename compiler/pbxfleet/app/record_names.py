"""Names of what lies in the state folder of a host, for those who need nothing but the names."""

from __future__ import annotations

APPLIED = "applied"  # folder of the applied records, one a file
GENERATIONS = "generations"  # folder of their records, three each
PENDING = "pending"  # the change that waits for a person
HOST_RECORD = "_host"  # no instance can have this name


def record_name(instance: str) -> str:
    """The name under which the applied record of an instance is stored, or (name "") the host's own."""
    return f"{APPLIED}/{instance or HOST_RECORD}"
