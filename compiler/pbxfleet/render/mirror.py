"""What a mirror of a working directory leaves out, so that the other half keeps what is its own.

How data get from one half to the other is not documented by the vendor; operators copy the directory.
The list speaks the dialect of `rsync --exclude-from`: one pattern a line, a slash in front is the top
of the directory that is copied. What is excluded is not removed either by `rsync --delete`.
"""

from __future__ import annotations

import re

from pbxfleet.core.paths import is_inside
from pbxfleet.model.resolved import ResolvedInstance
from pbxfleet.pbx import layout

_PATTERN_SIGNS = re.compile(r"[\\*?\[]")


def excludes(instance: ResolvedInstance) -> bytes:
    """Files of the directory that belong to this half alone, sorted; the other half's are the same."""
    paths = instance.paths
    patterns = {f"/{name}" for name in layout.MIRROR_EXCLUDES}
    patterns.add("*.log")  # each half keeps what it has logged itself
    for path in (paths.pid_file, paths.lock_file):
        if is_inside(path, paths.directory):
            patterns.add(_PATTERN_SIGNS.sub(r"\\\g<0>", path.removeprefix(paths.directory)))
    return "".join(f"{pattern}\n" for pattern in sorted(patterns)).encode()
