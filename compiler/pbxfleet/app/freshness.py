"""Is the compiled target of a host what `desired/` says now? Told by digests, without compiling."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.core.digest import digest_of
from pbxfleet.host.disk import folder_names, is_directory, read_file

INSTANCES = "desired/instances"
SUFFIXES = (".toml", ".yaml", ".yml")


def stale_inputs(repository: str, inputs: Mapping[str, str]) -> tuple[str, ...]:
    """Files of `desired/` that have changed or gone since `inputs` were digested, or were never compiled.

    Empty where there is no `desired/`: the rendered tree alone was brought to the host.
    """
    if not is_directory(f"{repository}/desired"):
        return ()
    changed = [
        name
        for name, digest in inputs.items()
        if (content := read_file(f"{repository}/{name}")) is None or digest_of(content) != digest
    ]
    return (*changed, *_never_compiled(repository, inputs))


def _never_compiled(repository: str, inputs: Mapping[str, str]) -> list[str]:
    """Instance files that no host's rendered tree knows: which host they are for is not known here."""
    others = [
        name
        for name in folder_names(f"{repository}/{INSTANCES}")
        if name.endswith(SUFFIXES) and f"{INSTANCES}/{name}" not in inputs
    ]
    if not others:
        return []
    compiled = {
        settings
        for host in folder_names(f"{repository}/rendered")
        for settings in folder_names(f"{repository}/rendered/{host}/settings")
    }
    return [
        f"{INSTANCES}/{name}"
        for name in others
        if f"{name.rpartition('.')[0]}.json" not in compiled
    ]
