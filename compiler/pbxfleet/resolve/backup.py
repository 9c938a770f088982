"""What a backup of an instance leaves out and adds."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.backup import BackupPart, BackupWish, InstanceBackup
from pbxfleet.model.desired import Sourced
from pbxfleet.pbx.backup import MUST_NAMES, never_kept, row_of
from pbxfleet.resolve.problems import Problems


def instance_backup(
    wish: BackupWish, instance: str, span: Span, problems: Problems
) -> InstanceBackup:
    """The backup of an instance whose layers say `wish` and whose file begins at `span`.

    Reports BKP103 for a part that is left out but has no known name, BKP104 for a name that would
    leave out what a backup must hold.
    """
    left_out = [Sourced(name, span) for name in never_kept()]
    for part in BackupPart:
        left_out += _names_left_out(wish, part, instance, span, problems)
    for name in left_out:
        hit = next((must for must in MUST_NAMES if fnmatchcase(must, name.value)), None)
        if hit is not None:
            diagnostic = Diagnostic(
                "BKP104",
                f'"{name.value}" would leave {hit} out of the backup',
                name.origin,
                hint="without it there is nothing to restore: name less",
            )
            problems.share(diagnostic, instance, span)
    return InstanceBackup(tuple(left_out), wish.extra or ())


def _names_left_out(
    wish: BackupWish, part: BackupPart, instance: str, span: Span, problems: Problems
) -> Iterator[Sourced[str]]:
    row, said = row_of(part), wish.kept.get(part)
    if said.value if said is not None else row.kept:
        return
    given = wish.names.get(part)
    if given is not None:
        yield from given
        return
    place = span if said is None else said.origin
    yield from (Sourced(name, place) for name in row.names)
    if said is not None and not row.names:
        diagnostic = Diagnostic(
            "BKP103",
            f"backup.{part} is false, but where these files lie is not documented",
            said.origin,
            hint=f"look into a directory and name them in backup.names.{part}",
        )
        problems.share(diagnostic, instance, span)
