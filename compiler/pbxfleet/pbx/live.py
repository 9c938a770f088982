"""Which settings a running PBX takes over its REST interface, so that nothing has to be restarted."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.target import ONCE, Field, Impact


def may_be_live(field: Field) -> bool:
    """Whether a change of the setting is known to take effect in the running process.

    What no source says of a setting counts as a restart. A secret does not go over a connection whose
    other end may log it, a setting cannot be removed over REST, and a seeded one is the application's.
    """
    from pbxfleet.pbx.catalogue import SETTINGS

    if field.impact is not Impact.LIVE or field.value is None or field.secret is not None:
        return False
    row = SETTINGS.get(field.name)
    return row is not None and not row.secret and field.ownership not in ONCE


def takes(field: Field, told: Mapping[str, str]) -> bool:
    """Whether this very instance can be given the setting: it tells one of that name.

    That REST names are those of the elements in pbx.xml is no promise of the vendor.
    """
    return may_be_live(field) and field.name in told
