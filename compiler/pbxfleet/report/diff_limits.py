"""How long a comment may be: what forges take, as rows with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Limit(NamedTuple):
    """How much of a comment a forge takes: at most so many characters, or bytes of UTF-8.

    `html` tells whether it renders <details>, which folds blocks away; elsewhere tags would be shown.
    """

    most: int
    in_bytes: bool
    html: bool
    source: str

    def size(self, text: str) -> int:
        """How much of the limit a text takes."""
        return len(text.encode()) if self.in_bytes else len(text)


LIMITS: Mapping[str, Limit] = {
    # The API says so itself when it refuses: "Body is too long (maximum is 65536 characters)".
    "github": Limit(65_536, False, True, "https://github.com/orgs/community/discussions/27190"),
    "gitlab": Limit(1_000_000, False, True, "https://docs.gitlab.com/api/notes/"),
    # "Please enter a non-empty value less than 32768 characters"
    "bitbucket": Limit(32_767, False, False, "https://github.com/jfrog/froggit-go/pull/133"),
    # "upload aborted, supports content up to a size of 1024k"
    "step-summary": Limit(
        1_048_576,
        True,
        True,
        "https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions",
    ),
}
