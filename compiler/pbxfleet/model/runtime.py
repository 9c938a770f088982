"""What is comparable about a running instance: declared by the target, observed from the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pbxfleet.model.applied import element_digest
from pbxfleet.model.observed import ProcessSeen, RuntimeSeen, SocketSeen
from pbxfleet.model.target import InstanceTarget

# Values by name: `listener tcp 10.0.0.1:80` (always `listening`), `cpu` (a list of cores),
# `executable`, `processes` (how many trees). A name that is not there is not so, or not declared.
Facts: TypeAlias = Mapping[str, str]

FIRST_EPHEMERAL_PORT = 32768
LISTENER = "listener "
SETTING = "setting "
CPU = "cpu"
LISTENING = "listening"
ON_DISK = "the file on disk"
OLDER = "an older file"


def listener_name(protocol: str, address: str, port: int) -> str:
    """The name under which a socket stands in plans and drift reports."""
    shown = f"[{address}]" if ":" in address else address
    return f"{LISTENER}{protocol} {shown}:{port}"


def declared_facts(instance: InstanceTarget) -> dict[str, str]:
    """What the declaration says about the running instance; no `cpu` where it is not pinned."""
    facts = {listener_name(*listener.bind): LISTENING for listener in instance.listeners}
    if instance.cpu is not None:
        facts[CPU] = str(instance.cpu)
    return {**facts, "executable": ON_DISK, "processes": "1"}


def observed_facts(instance: InstanceTarget, runtime: RuntimeSeen) -> dict[str, str]:
    """What the kernel says of the first process tree, in the words of `declared_facts`.

    Without the sockets of calls: UDP on the instance's media ports. Nothing if nothing runs.
    """
    if not runtime.trees:
        return {}
    tree = runtime.trees[0]
    facts = {name: LISTENING for name in _listeners(instance, tree)}
    if instance.cpu is not None:
        facts[CPU] = core_list(tree.cpus)
    facts["executable"] = OLDER if tree.replaced else ON_DISK
    facts["processes"] = str(len(runtime.trees))
    return facts


def differences(declared: Facts, observed: Facts, *, sockets_known: bool = True) -> tuple[str, ...]:
    """Names of what differs, sorted; listeners only where `sockets_known`."""
    return tuple(
        name
        for name in sorted({*declared, *observed})
        if declared.get(name) != observed.get(name)
        and (sockets_known or not name.startswith(LISTENER))
    )


def _listeners(instance: InstanceTarget, tree: ProcessSeen) -> set[str]:
    # A bind whose transport nobody documents (`any`) may turn out to be TCP, UDP or both.
    either = {(s.address, s.port) for s in instance.listeners if s.protocol == "any"}
    declared = {(s.protocol, s.address, s.port) for s in instance.listeners}
    return {
        listener_name("any" if (s.address, s.port) in either else s.protocol, s.address, s.port)
        for s in tree.sockets
        if s[:3] in declared
        or (s.address, s.port) in either
        or not (_is_media(instance, s) or _is_asking(s))
    }


def _is_media(instance: InstanceTarget, socket: SocketSeen) -> bool:
    """Whether an undeclared socket is one of those that come and go with calls."""
    if socket.protocol != "udp":
        return False
    if instance.rtp is None:  # where media goes was never declared: any UDP on its own addresses
        return socket.address in instance.addresses
    own = (instance.rtp_address,) if instance.rtp_address else instance.addresses
    return socket.address in own and instance.rtp[0] <= socket.port <= instance.rtp[1]


def _is_asking(socket: SocketSeen) -> bool:
    """Whether a socket may belong to a question that is under way, such as a name that is looked up.

    The kernel gives such sockets a port of its own choice on a wildcard address (ip-sysctl,
    ip_local_port_range: from 32768 by default). They come and go; a restart for one of them would cost
    calls and mend nothing.
    """
    return (
        socket.protocol == "udp"
        and socket.address in ("0.0.0.0", "::")  # noqa: S104 - recognised here, never bound
        and socket.port >= FIRST_EPHEMERAL_PORT
    )


def core_list(cores: Iterable[int]) -> str:
    """Cores as the kernel lists them: `0-3,8`."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][1] + 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def unproven_key(name: str, observed: str | None) -> str:
    """The text under which a difference is remembered as "there even after our own start"."""
    return f"{name}={observed or ''}"


def setting_key(name: str, observed: str | None) -> str:
    """`unproven_key` of a pbx.xml element: with a digest, since no content is remembered."""
    return unproven_key(f"{SETTING}{name}", element_digest(observed))


def spelling_key(name: str, observed: str | None, declared: str | None) -> str:
    """The text under which it is remembered how the PBX spells the value with the digest `declared`."""
    return f"{setting_key(name, observed)} for {declared}"
