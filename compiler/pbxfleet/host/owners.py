"""Owners as `user:group`, by name where there is one; look-ups are remembered for one run."""

from __future__ import annotations

import os

from pbxfleet.core.errors import HostError


class Owners:
    """Names and numbers of this machine's users and groups.

    `matter` tells whether owners can be set at all, which only the superuser can.
    """

    def __init__(self, *, matter: bool | None = None) -> None:
        self.matter = os.geteuid() == 0 if matter is None else matter
        self._names: dict[tuple[int, int], str] = {}

    def name(self, uid: int, gid: int) -> str:
        """`user:group`; a number without a name stays a number."""
        known = self._names.get((uid, gid))
        if known is None:
            known = self._names[uid, gid] = f"{_user(uid)}:{_group(gid)}"
        return known

    def numbers(self, subject: str, owner: str) -> tuple[int, int]:
        """User and group number of `user:group`; -1 (leave it) for an empty name.

        -1 too where owners do not matter. HST104 with `subject` for a name that nobody has here.
        """
        if not self.matter:
            return -1, -1
        user, _, group = owner.partition(":")
        return _uid(subject, user), _gid(subject, group)


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _uid(subject: str, user: str) -> int:
    import pwd

    if not user:
        return -1
    if user.isascii() and user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise HostError(subject, f'this machine has no user "{user}"', code="HST104") from None


def _gid(subject: str, group: str) -> int:
    import grp

    if not group:
        return -1
    if group.isascii() and group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise HostError(subject, f'this machine has no group "{group}"', code="HST104") from None
