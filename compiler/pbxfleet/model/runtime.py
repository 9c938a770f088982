"""What is comparable about a running instance: declared by the target, observed from the kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pbxfleet.model.observed import ProcessSeen, SocketSeen
from pbxfleet.model.target import InstanceTarget

FIRST_EPHEMERAL_PORT = 32768


class RuntimeFacts(NamedTuple):
    """Listeners by name (`listener tcp 10.0.0.1:80`) and the cores; cpu "" where it is not declared."""

    listeners: frozenset[str]
    cpu: str


def listener_name(protocol: str, address: str, port: int) -> str:
    """The name under which a socket stands in plans and drift reports."""
    shown = f"[{address}]" if ":" in address else address
    return f"listener {protocol} {shown}:{port}"


def declared_facts(instance: InstanceTarget) -> RuntimeFacts:
    """What the declaration says about the running instance."""
    return RuntimeFacts(
        frozenset(listener_name(s.protocol, s.address, s.port) for s in instance.listeners),
        "" if instance.cpu is None else str(instance.cpu),
    )


def observed_facts(instance: InstanceTarget, tree: ProcessSeen) -> RuntimeFacts:
    """What the kernel says, without the sockets of calls: UDP on the instance's media ports."""
    # A bind whose transport nobody documents (`any`) may turn out to be TCP, UDP or both.
    either = {(s.address, s.port) for s in instance.listeners if s.protocol == "any"}
    sockets = {
        listener_name("any" if (s.address, s.port) in either else s.protocol, s.address, s.port)
        for s in tree.sockets
        if not _is_media(instance, s) and not _is_asking(s)
    }
    cpu = "" if instance.cpu is None else core_list(tree.cpus)
    return RuntimeFacts(frozenset(sockets), cpu)


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


def _is_media(instance: InstanceTarget, socket: SocketSeen) -> bool:
    if socket.protocol != "udp":
        return False
    if instance.rtp is None:  # where media goes was never declared: any UDP on its own addresses
        return socket.address in instance.addresses and not any(
            s.protocol == "udp" and s.port == socket.port for s in instance.listeners
        )
    own = (instance.rtp_address,) if instance.rtp_address else instance.addresses
    return socket.address in own and instance.rtp[0] <= socket.port <= instance.rtp[1]


def core_list(cores: Iterable[int]) -> str:
    """Cores as the kernel lists them: `0-3,8`."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][1] + 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def unproven_key(name: str, before: str | None) -> str:
    """The text under which a difference is remembered as "there even after our own start"."""
    return f"{name}={before or ''}"
