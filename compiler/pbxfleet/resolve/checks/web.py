"""Where the web server of an instance can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.model.desired import Role
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import Listener, ResolvedInstance
from pbxfleet.resolve.checks.sockets import spots


class WebEnd(NamedTuple):
    """`scheme` (http or https), address and port of one web listener."""

    scheme: str
    address: Address
    port: int


def web_ends(instance: ResolvedInstance) -> tuple[WebEnd, ...]:
    """All of them, in the order of its listeners; a wildcard stands for the instance's addresses."""
    return tuple(
        end
        for listener in instance.listeners
        if listener.role in (Role.HTTP, Role.HTTPS)
        for end in _ends(instance, listener)
    )


def _ends(instance: ResolvedInstance, listener: Listener) -> Iterator[WebEnd]:
    bind = listener.bind
    if bind.address is not None:
        yield WebEnd(listener.role, bind.address, bind.port)
        return
    covered = {version for version, _ in spots(bind)}
    for address in instance.addresses:
        if address.value.version in covered:
            yield WebEnd(listener.role, address.value, bind.port)
