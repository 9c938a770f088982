"""Files that something else has to load before they count: what to run, said in every plan.

apply writes such files and runs none of these commands: one of them can cut the very connection that
it is run over, and that moment is the administrator's to choose.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.plan import Change, Note, Verb
from pbxfleet.model.target import Kind

WRITTEN_ONLY = "NET221"
NOT_LOADED = "NET222"


class Activation(NamedTuple):
    """Files below `folder` whose names end with `ending`, and what loads or unloads them."""

    folder: str
    ending: str
    load: str
    unload: str


_RULES = "systemctl daemon-reload && systemctl reload-or-restart pbxfleet-nftables"
ACTIVATIONS = (
    Activation(
        "/etc/systemd/network/", ".d/50-pbxfleet.conf", "networkctl reload", "networkctl reload"
    ),
    Activation("/etc/netplan/", "90-pbxfleet.yaml", "netplan try", "netplan try"),
    Activation(
        "/etc/NetworkManager/system-connections/pbxfleet-",
        ".nmconnection",
        "nmcli connection load {path} && nmcli connection up {stem}",
        "nmcli connection reload, then nmcli connection up with the profile that shall be active",
    ),
    Activation(
        "/etc/sysconfig/network-scripts/ifcfg-", "", "ifup-aliases {parent}", "ip address delete"
    ),
    Activation("/etc/pbxfleet/firewall", ".nft", _RULES, "nft delete table inet pbxfleet"),
    Activation("/etc/pbxfleet/source", ".nft", _RULES, "nft delete table inet pbxfleet_source"),
    Activation(
        "/etc/systemd/system/pbxfleet-nftables",
        ".service",
        _RULES,
        "systemctl stop pbxfleet-nftables",
    ),
)


class Rules(NamedTuple):
    """A file of rules, and the chain of the kernel that says which one was loaded."""

    path: HostPath
    table: str
    chain: str


RULES = (
    Rules(HostPath("/etc/pbxfleet/firewall.nft"), "pbxfleet", "input"),
    Rules(HostPath("/etc/pbxfleet/source.nft"), "pbxfleet_source", "output"),
)


def not_loaded(rules: Rules, problem: str) -> Note:
    """NET222: the kernel has other rules than the file, or (`problem`) nobody can tell."""
    if problem:
        text, hint = f"whether {rules.path} is loaded cannot be told: {problem}", "run it as root"
    else:
        text = f"the kernel does not have the rules of {rules.path}"
        hint = f"load them: {_RULES}"
    resource = f"{Kind.FILE}:{rules.path}"
    return Note(NOT_LOADED, "warning", "", text, hint, resource, "rules", "loaded", "not loaded")


def activation_notes(changes: Iterable[Change]) -> tuple[Note, ...]:
    """NET221 for each command, once, with the number of files that wait for it."""
    waiting: dict[str, list[Change]] = {}
    for change in changes:
        command = activation(change)
        if command:
            waiting.setdefault(command, []).append(change)
    return tuple(_note(command, found) for command, found in waiting.items())


def activation(change: Change) -> str:
    """What makes a changed file count, "" for files that need nothing or will not be changed."""
    if change.kind is not Kind.FILE or change.action is Verb.KEEP:
        return ""
    for row in ACTIVATIONS:
        if change.path.startswith(row.folder) and change.path.endswith(row.ending):
            words = row.unload if change.action is Verb.REMOVE else row.load
            name = change.path.rpartition("/")[2]
            parent = name.removeprefix("ifcfg-").partition(":")[0]
            return words.format(
                path=change.path, stem=name.removesuffix(".nmconnection"), parent=parent
            )
    return ""


def _note(command: str, changes: list[Change]) -> Note:
    first = changes[0]
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    verb = "is" if len(changes) == 1 else "are"
    return Note(
        WRITTEN_ONLY,
        "warning",
        "",
        f"{first.path}{more} {verb} written by apply, and not put into effect",
        f"afterwards: {command}",
        first.resource,
    )
