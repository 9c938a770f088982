"""The files that one host is compiled from, so that a question about it need not read a whole fleet.

Which they are is guessed from their text. The guess is good if the host compiles to the very bytes
that lie in `rendered/`; who asks compares, and reads everything where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pbxfleet.app.fleet import Fleet
from pbxfleet.host.disk import absolute, is_directory
from pbxfleet.host.workspace import ReadProblem, read_tree

INSTANCES = "desired/instances/"
HOSTS = "desired/hosts/"
SUFFIXES = (".toml", ".yaml", ".yml")
WORTH_IT = 100  # files of instances; for fewer the whole fleet is read as fast


def part_of_fleet(repository: str, host: str) -> Fleet | None:
    """The fleet with this host, its instances, and their peers with their hosts; None for a small one."""
    if not is_directory(f"{repository}/desired"):
        return None
    return part_of(read_tree(absolute(repository), "desired", file_suffixes=SUFFIXES), host)


def part_of(contents: Mapping[str, bytes | ReadProblem], host: str) -> Fleet | None:
    """The same of files of desired/ by name, wherever they were read from."""
    instances = {name: text for name, text in contents.items() if name.startswith(INSTANCES)}
    if len(instances) < WORTH_IT:
        return None
    from pbxfleet.app.reading import understood

    wanted = _wanted(instances, host)
    hosts = {_stem(name) for name in contents if name.startswith(HOSTS)}
    near = {one for one in hosts if _names(wanted, one)} | {host}
    return understood(
        {
            name: content
            for name, content in contents.items()
            if (name not in instances or name in wanted)
            and (not name.startswith(HOSTS) or _stem(name) in near)
        }
    )


def _wanted(
    instances: Mapping[str, bytes | ReadProblem], host: str
) -> dict[str, bytes | ReadProblem]:
    """Files that name the host, and those of the instances that these name: their peers."""
    own = {name: text for name, text in instances.items() if _says(text, host)}
    words = {word for text in own.values() for word in _words(text)}
    peers = {name: text for name, text in instances.items() if _stem(name) in words}
    return {**own, **peers}


def _names(files: Mapping[str, bytes | ReadProblem], word: str) -> bool:
    return any(_says(text, word) for text in files.values())


def _says(text: bytes | ReadProblem, word: str) -> bool:
    return isinstance(text, bytes) and word.encode() in text


def _words(text: bytes | ReadProblem) -> set[str]:
    found = re.findall(rb"[a-z0-9-]+", text) if isinstance(text, bytes) else []
    return {word.decode() for word in found}


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
