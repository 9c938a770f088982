"""Which two sides a diff compares: the words of the command line to commits, or to the working tree."""

from __future__ import annotations

from pbxfleet.app.side import DESIRED, CommitSide, Side, Sides, TreeSide
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import absolute
from pbxfleet.vcs.revisions import NO_TREE, UNKNOWN, Commit, Revisions

WORKING_TREE = "working tree"


def open_sides(repository: str, base: str, head: str | None, *, merge_base: bool) -> Sides:
    """The sides that `BASE [HEAD]`, `A..B` or `A...B` name, as git diff takes them.

    Without HEAD the second side is the working tree. With `merge_base`, or three dots, the first is the
    commit that both have in common. Refused (GIT101 to GIT104) where there is no such thing.
    """
    base, head, common = _words(base, head)
    revisions = Revisions(absolute(repository))
    before = revisions.commit(base)
    if head is None and revisions.is_bare:
        raise Refused(
            "a bare repository has no working tree to compare with",
            hint=f"name two revisions: diff {base} HEAD",
            code=NO_TREE,
        )
    if head is None and revisions.left_out(DESIRED):
        raise Refused(
            "the working tree has not all of desired/: this is a sparse checkout",
            hint=f"name two revisions: diff {base} HEAD; or git sparse-checkout add desired rendered",
            code=NO_TREE,
        )
    word = base
    notes: tuple[str, ...] = ()
    after = (
        revisions.commit("HEAD" if head is None else head) if head or common or merge_base else None
    )
    if after is not None and (common or merge_base):
        before, notes = _common(revisions, before, after)
        word = before.object[:10]
    objects: dict[str, bytes | None] = {}
    old = CommitSide(revisions, word, before, objects)
    new: Side
    if head is None or after is None:
        new = TreeSide(absolute(repository), WORKING_TREE, before.object)
    else:
        new = CommitSide(revisions, head, after, objects)
    return Sides(old, new, notes, revisions, absolute(repository), objects)


def _words(base: str, head: str | None) -> tuple[str, str | None, bool]:
    """BASE, HEAD, and whether three dots stood between them."""
    for dots in ("...", ".."):
        first, found, second = base.partition(dots)
        if found and head is not None:
            raise Refused(
                f"{base} names two revisions already",
                hint=f"{base} alone, or BASE and HEAD as two words",
                code=UNKNOWN,
            )
        if found:
            return first or "HEAD", second or "HEAD", dots == "..."
    return base, head, False


def _common(revisions: Revisions, base: Commit, head: Commit) -> tuple[Commit, tuple[str, ...]]:
    """The commit that two have in common; of several git's first, and a note that there are others."""
    found = revisions.merge_bases(base.object, head.object)
    more = ", ".join(name[:10] for name in found[1:])
    note = f"{found[0][:10]} is one of {len(found)} best common ancestors; the others: {more}"
    return revisions.commit(found[0]), (note,) if more else ()
