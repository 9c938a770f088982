"""Files that the value of a setting makes the PBX write."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.paths import HostPath, host_path

LOG_NAME = "log_filename"
FILE_TARGET = "file:"


def file_targets(name: str, value: object) -> Iterator[HostPath]:
    """Absolute paths in the value of a setting, also behind `file:` as of a CDR target.

    (https://doc.vodia.com/docs/cdrstats-connecting-pbx). The log file's name may hold blanks.
    """
    text = value if isinstance(value, str) else ""
    for word in [text] if name == LOG_NAME else text.split():
        path = word.removeprefix(FILE_TARGET)
        if path.startswith("/") and len(path) > 1:
            try:
                yield host_path(path)
            except ValueError:
                continue  # no path of one file: a pattern, or an address without its scheme
