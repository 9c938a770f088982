"""Take one step back, from what the journal says about it. Every inverse may be repeated."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pbxfleet.apply.io import Memory
from pbxfleet.apply.live import take_live_back
from pbxfleet.apply.merge import read_document, undo_merge
from pbxfleet.apply.prove import wait_for
from pbxfleet.apply.swap import CONTESTED
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import DIGEST_ENDING, HostPath, join
from pbxfleet.host.base import Host, HostView
from pbxfleet.model.journal import (
    ConfigureBack,
    Inverse,
    MoveBack,
    PutBack,
    PutRecordBack,
    PutValuesBack,
    ReloadAgain,
    RemoveArchive,
    RemoveSettings,
    SetEnabled,
    StartAgain,
    StopAgain,
)
from pbxfleet.model.observed import RuntimeSeen, What
from pbxfleet.model.target import InstanceTarget
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES


def take_back(host: Host, memory: Memory, inverse: Inverse) -> str:
    """Undo one step, whether it was done, half done or not begun; what had to be left, "" if nothing.

    HostError if the machine refuses, or if undoing would do harm: then nothing was done.
    """
    match inverse:
        case StopAgain():
            host.stop(inverse.instance, inverse.timeout_s)
        case StartAgain():
            _start_again(host, inverse)
        case SetEnabled():
            _set_enabled(host, inverse)
        case ReloadAgain():
            host.reload_services()
        case PutRecordBack():
            memory.put_record_back(inverse.name, inverse.content)
        case _:
            return _lay_back(host, memory, inverse)
    return ""


def _lay_back(host: Host, memory: Memory, inverse: Inverse) -> str:
    """The inverses of steps on files and directories, which may have to leave something."""
    match inverse:
        case PutBack():
            return _put_back(host, memory, inverse)
        case PutValuesBack():
            return _put_values_back(host, memory, inverse)
        case ConfigureBack():
            return take_live_back(host, inverse)
        case RemoveSettings():
            return _remove_settings(host, inverse)
        case MoveBack():
            return _move_back(host, inverse)
        case RemoveArchive():
            return _remove_archive(host, inverse)
    return ""


def _put_values_back(host: Host, memory: Memory, inverse: PutValuesBack) -> str:
    """Put elements back; a file that the instance destroyed since is as a whole as it was before."""
    path, stopped = inverse.path, partial(must_be_stopped, host, inverse.instance)
    try:
        return undo_merge(host, inverse, lambda: memory.kept(inverse.before), stopped)
    except HostError:
        if host.look(path).what not in (What.FILE, What.ABSENT):
            raise
        content = host.read(path)
        if content is not None and _is_whole(path, content):
            raise
    stopped()
    whole = memory.kept(inverse.before)
    if content is None:
        text = f"{path} had vanished and is put back as it was"
        is_back = host.swap(path, None, whole, 0o600, host.look(inverse.instance.directory).owner)
    else:
        place = memory.save(digest_of(content), path, path)
        text = f"{path} was destroyed and is put back as it was; what was there is kept as {place}"
        is_back = host.swap(path, content, whole, None, "")
    if not is_back:
        raise HostError(path, "somebody else writes it", code=CONTESTED)
    return text


def _is_whole(path: HostPath, content: bytes) -> bool:
    try:
        read_document(path, content)
    except HostError:
        return False
    return True


def runtime_of(view: HostView, instance: InstanceTarget) -> RuntimeSeen:
    """What runs in the name of one instance."""
    return view.runtime([instance]).get(instance.name, RuntimeSeen((), ""))


def must_be_stopped(view: HostView, instance: InstanceTarget) -> None:
    """HostError unless it is certain that nothing runs in the instance's directory."""
    runtime = runtime_of(view, instance)
    if runtime.trees:
        pid = runtime.trees[0].pids[0]
        raise HostError(instance.service, f"process {pid} still runs; pbx.xml is left alone")
    if runtime.unreadable:
        raise HostError(instance.service, f"may still run: {runtime.unreadable}")


def release_of(view: HostView, instance: InstanceTarget) -> tuple[str, ...]:
    """Digests of the two release files as they lie there now, "" for one that is missing."""
    names = (EXECUTABLE, RESOURCES)
    return tuple(view.look(join(instance.directory, name)).digest or "" for name in names)


def _release_must_be_back(
    view: HostView, instance: InstanceTarget, release: tuple[str, ...]
) -> None:
    if release_of(view, instance) != release:
        why = "its release files could not be put back; it is not started with others"
        raise HostError(instance.service, why)


def _put_back(host: Host, memory: Memory, inverse: PutBack) -> str:
    path = inverse.path
    now = host.look(path)
    is_link = now.what is What.SYMLINK
    as_before = now.what == inverse.what and (now.digest or "") == inverse.digest
    if as_before and (not is_link or host.link_target(path) == inverse.link):
        if now.what is What.FILE and (now.mode, now.owner) != (inverse.mode, inverse.owner):
            host.set_attributes(path, inverse.mode, inverse.owner)
        return ""
    left = _keep_what_is_foreign(host, memory, inverse)
    if inverse.what == What.ABSENT:
        host.remove(path)
    elif inverse.what == What.SYMLINK:
        host.make_link(path, inverse.link)
    else:
        host.write(path, memory.kept(inverse.digest), inverse.mode, inverse.owner)
    return left


def _keep_what_is_foreign(host: Host, memory: Memory, inverse: PutBack) -> str:
    """Somebody changed the file after our step: it is put back all the same, but nothing is lost."""
    now = host.look(inverse.path)
    if now.what is not What.FILE or not now.digest or now.digest == inverse.written:
        return ""
    place = memory.save(now.digest, inverse.path, inverse.path)
    return f"{inverse.path} had been changed since; that content is kept as {place}"


def _remove_settings(host: Host, inverse: RemoveSettings) -> str:
    must_be_stopped(host, inverse.instance)
    content = host.read(inverse.path)
    if content is not None and digest_of(content) != inverse.written:
        return f"{inverse.path} is kept: the instance has written into it"
    host.remove(inverse.path)
    return ""


def _start_again(host: Host, inverse: StartAgain) -> None:
    if runtime_of(host, inverse.instance).trees and _goes_on(host, inverse):
        return
    _release_must_be_back(host, inverse.instance, inverse.release)
    host.start(inverse.instance)
    wait_for(host, inverse.instance, inverse.held, inverse.timeout_s)


def _goes_on(host: Host, inverse: StartAgain) -> bool:
    """Whether what runs is the instance, which still does or does again; False if it was about to end.

    HostError if it goes on, but does not hold the listeners that it had.
    """
    try:
        wait_for(host, inverse.instance, inverse.held, inverse.timeout_s)
    except HostError:
        if runtime_of(host, inverse.instance).trees:
            raise
        return False
    return True


def _set_enabled(host: Host, inverse: SetEnabled) -> None:
    if not inverse.enabled:
        host.disable(inverse.instance)
        return
    _release_must_be_back(host, inverse.instance, inverse.release)
    host.enable(inverse.instance)


def _move_back(host: Host, inverse: MoveBack) -> str:
    """Whether the move was done is told by the names; one that somebody has taken since is left."""
    if host.look(inverse.aside).what is not What.DIRECTORY:
        return ""
    if host.look(inverse.path).what is What.ABSENT:
        host.move_directory(inverse.aside, inverse.path)
        return ""
    if not host.names(inverse.aside):
        return ""  # it was not done: this is the empty place that was made for it
    raise HostError(inverse.path, f"is there again, so {inverse.aside} is left where it is")


def _remove_archive(host: Host, inverse: RemoveArchive) -> str:
    if host.look(inverse.path).what is not What.DIRECTORY:
        return f"{inverse.archive} is kept: {inverse.path} itself is not there"
    host.remove(inverse.archive)
    host.remove(HostPath(f"{inverse.archive}{DIGEST_ENDING}"))
    return ""


def kept_contents(inverses: Iterable[Inverse]) -> frozenset[Digest]:
    """Digests of the contents without which these inverses cannot be taken."""
    needed = set()
    for inverse in inverses:
        if isinstance(inverse, PutBack) and inverse.what == What.FILE:
            needed.add(inverse.digest)
        elif isinstance(inverse, PutValuesBack):
            needed.add(inverse.before)
    return frozenset(needed)
