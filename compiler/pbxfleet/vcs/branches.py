"""A branch with edited files, made beside the checkout: neither files, index nor HEAD are touched."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from pbxfleet.core.errors import Refused

if TYPE_CHECKING:
    from git import Repo


def make_branch(
    folder: str, name: str, before: Mapping[str, bytes], files: Mapping[str, bytes], message: str
) -> str:
    """A new branch on top of HEAD with these files (names relative to `folder`); gives its commit's id.

    Refused if there is no repository or commit, the name is taken or is none, nobody is named as
    author, or a file is not committed as it is in `before`.
    """
    from git import Commit, Repo
    from git.exc import GitError

    try:
        repo = Repo(folder, search_parent_directories=True)
        head = repo.head.commit
    except (GitError, ValueError) as error:
        raise Refused(f"{folder} is in no git repository with a commit") from error
    _refuse_name(repo, name)
    below, tree = _below(folder), str(head.tree.hexsha)
    for file in sorted(files):
        path = posixpath.normpath(posixpath.join(below, file))
        _refuse_uncommitted(repo, head.hexsha, path, before[file])
        blob = _stored(repo, "blob", files[file])
        tree = _tree_with(repo, tree, path.split("/"), blob)
    commit = Commit.create_from_tree(repo, tree, message, parent_commits=[head], head=False)
    repo.create_head(name, commit)
    return str(commit.hexsha)


def _stored(repo: Repo, kind: str, content: bytes) -> str:
    """The id of an object, which is written into the repository."""
    from gitdb import IStream  # type: ignore[import-untyped]

    return str(repo.odb.store(IStream(kind, len(content), BytesIO(content))).hexsha.decode())


def _refuse_name(repo: Repo, name: str) -> None:
    from git.exc import GitCommandError

    try:
        repo.git.check_ref_format("--branch", name)
    except GitCommandError as error:
        raise Refused(f"{name!r} is no name of a branch") from error
    if name in {head.name for head in repo.heads}:
        raise Refused(f"there is a branch {name} already", hint="take another name")


def _below(folder: str) -> str:
    """The folder relative to the top of the repository."""
    from git import Git

    return str(Git(folder).rev_parse("--show-prefix"))


def _refuse_uncommitted(repo: Repo, head: str, path: str, content: bytes) -> None:
    from git.exc import GitCommandError

    try:
        committed = repo.git.cat_file("blob", f"{head}:{path}", strip_newline_in_stdout=False)
    except GitCommandError:
        committed = None
    if committed is None or committed.encode("utf-8", "surrogateescape") != content:
        raise Refused(
            f"{path} has changes that are not committed",
            hint="commit them first, or take the edits as a patch",
        )


def _tree_with(repo: Repo, tree: str, path: list[str], blob: str) -> str:
    """A tree like this one with another blob at a path that is there."""
    entries = []
    for entry in str(repo.git.ls_tree("-z", tree)).split("\0"):
        if not entry:
            continue
        meta, _, name = entry.partition("\t")
        mode, _, there = meta.split(" ")
        if name == path[0]:
            there = blob if len(path) == 1 else _tree_with(repo, there, path[1:], blob)
        # As git stores a tree: modes without leading zeros, ids as they are.
        head = f"{mode.lstrip('0')} {name}\0".encode("utf-8", "surrogateescape")
        entries.append(head + bytes.fromhex(there))
    return _stored(repo, "tree", b"".join(entries))
