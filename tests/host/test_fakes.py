"""The fake host does what the real one does, and the wrappers add what they promise and no more."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join, parent
from pbxfleet.host.base import Host
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.local import LocalHost
from pbxfleet.host.wrap import DryRunHost, Effect, FailingHost, Power, RecordingHost
from pbxfleet.model.observed import ABSENT, RuntimeSeen, ServiceSeen, SocketSeen, What
from pbxfleet.model.target import ExpectedListener
from support.instances import install, instance

LISTENER = ExpectedListener("tcp", "127.0.0.1", 80)
A = instance("a", listeners=(LISTENER,))
B = instance("b")
P = HostPath


class Do(NamedTuple):
    """One file effect with its arguments."""

    name: str
    arguments: tuple[object, ...]

    def to(self, host: Host) -> tuple[str, int] | None:
        """Perform it; code and errno of a refusal, None if there was none."""
        try:
            getattr(host, self.name)(*self.arguments)
        except HostError as error:
            return error.code, error.errno
        return None


# Names in few folders, so that effects meet; `l` are links, which nothing may follow.
PATHS = st.sampled_from(["/a", "/a/b", "/a/b/c", "/d", "/d/e", "/l", "/l/x", "/a/l"]).map(P)
CONTENTS = st.sampled_from([b"", b"one", b"two\n", bytes(100)])
MODES = st.sampled_from([0o600, 0o644, 0o755])
OWNER = st.just("")


def effects(source: str, content: bytes) -> st.SearchStrategy[Do]:
    digests = st.sampled_from([digest_of(content), digest_of(b"other")])
    return st.one_of(
        st.builds(Do, st.just("write"), st.tuples(PATHS, CONTENTS, st.none() | MODES, OWNER)),
        st.builds(
            Do, st.just("swap"), st.tuples(PATHS, st.none() | CONTENTS, CONTENTS, MODES, OWNER)
        ),
        st.builds(Do, st.just("append"), st.tuples(PATHS, CONTENTS)),
        st.builds(
            Do, st.just("make_directory"), st.tuples(PATHS, MODES.map(lambda m: m | 0o700), OWNER)
        ),
        st.builds(Do, st.just("set_attributes"), st.tuples(PATHS, MODES, OWNER)),
        st.builds(Do, st.just("remove"), st.tuples(PATHS)),
        st.builds(
            Do, st.just("make_link"), st.tuples(st.sampled_from([P("/l"), P("/a/l")]), st.just("a"))
        ),
        st.builds(Do, st.just("copy_in"), st.tuples(PATHS, st.just(source), digests, MODES, OWNER)),
    )


def everything(host: Host) -> dict[str, object]:
    """What any host shows of every path there can be."""
    shown: dict[str, object] = {}
    for path in ("/", "/a", "/a/b", "/a/b/c", "/d", "/d/e", "/l", "/a/l"):
        seen = host.look(P(path))
        content = host.read(P(path)) if seen.what is What.FILE else None
        mode = seen.mode if seen.what is What.FILE else 0
        listed = host.names(P(path)) if seen.what is What.DIRECTORY else ()
        is_file = host.identity(P(path)) is not None
        shown[path] = (seen.what, mode, seen.digest, content, listed, is_file)
    return shown


SOURCE = os.path.join(tempfile.gettempdir(), "unused")


@given(data=st.data())
def test_the_fake_host_agrees_with_the_real_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("real")
    (folder / "root").mkdir()
    source = folder / "artefact"
    source.write_bytes(b"artefact")
    real = LocalHost(str(folder / "root"), "direct")
    real.durable = False  # whether it survives a power cut is not what is compared here
    fake = FakeHost(sources={str(source): b"artefact"})
    below = FakeHost(sources={str(source): b"artefact"})
    dry = DryRunHost(below)
    steps = st.lists(effects(str(source), b"artefact"), max_size=12)
    for effect in data.draw(steps):
        refusals = [effect.to(host) for host in (real, fake, dry)]
        assert len({refusal is None for refusal in refusals}) == 1, (effect, refusals)
        assert everything(real) == everything(fake) == everything(dry)
    assert below.tree() == FakeHost().tree()


@given(
    before=st.dictionaries(PATHS.filter(lambda p: p.count("/") == 2), CONTENTS, max_size=4),
    data=st.data(),
)
def test_a_dry_run_shows_what_would_be_and_changes_nothing(
    before: dict[HostPath, bytes], data: st.DataObject
) -> None:
    below, twin = FakeHost(before), FakeHost(before)
    untouched = below.tree()
    dry = DryRunHost(below)
    for effect in data.draw(st.lists(effects("/none", b""), max_size=10)):
        assert effect.to(dry) == effect.to(twin)
        assert everything(dry) == everything(twin)
    assert below.tree() == untouched


def test_a_dry_run_writes_behind_the_links_of_a_system(tmp_path: Path) -> None:
    real = LocalHost(str(tmp_path), "sysv")
    real.make_directory(P("/etc/rc.d/init.d"), 0o755, "")
    real.make_link(P("/etc/init.d"), "rc.d/init.d")
    dry = DryRunHost(real)
    dry.make_directory(P("/etc/init.d"), 0o755, "")
    dry.write(P("/etc/init.d/pbx-a"), b"#!/bin/sh\n", 0o755, "")
    dry.remove(P("/etc/init.d/pbx-b"))
    assert dry.read(P("/etc/init.d/pbx-a")) == b"#!/bin/sh\n"
    assert (dry.names(P("/etc/init.d")), real.names(P("/etc/init.d"))) == (("pbx-a",), ())


class TestServices:
    """Processes of fake hosts, and of dry runs over them."""

    def host(self) -> FakeHost:
        host = FakeHost()
        for one in (A, B):
            install(host, one, b"program", b"<pbx/>")
        return host

    def test_starting_and_stopping(self) -> None:
        host = self.host()
        assert host.service(A) == ServiceSeen(True, True, False, None)
        host.start(A)
        host.start(A)
        (tree,) = host.runtime((A, B))["a"].trees
        assert tree.sockets == (SocketSeen("tcp", "127.0.0.1", 80, tree.pids[0]),)
        assert host.service(A).pid == tree.pids[0]
        assert host.runtime((A, B))["b"] == RuntimeSeen((), "")
        assert host.foreign_sockets((B,)) == tree.sockets
        assert host.foreign_sockets((A,)) == ()
        assert not tree.replaced
        host.write(A.executable, b"newer", 0o755, "")
        assert host.runtime((A,))["a"].trees[0].replaced
        host.stop(A, 1)
        host.stop(A, 1)
        assert host.processes == {}

    def test_hooks_see_the_process_and_may_write(self) -> None:
        host = self.host()
        seen: list[str] = []
        settings = join(A.directory, "pbx.xml")

        def stopping(fake: FakeHost, one: object) -> None:
            seen.append(f"stop {len(fake.processes['a'])}")
            fake.write(settings, b"<rewritten/>", None, "")

        host.on_start = lambda fake, one: seen.append(f"start {len(fake.processes['a'])}")
        host.on_stop = stopping
        host.start(A)
        assert host.processes["a"][0].settings == b"<pbx/>"
        host.stop(A, 1)
        assert seen == ["start 1", "stop 1"]
        assert (host.read(settings), host.look(settings).mode) == (b"<rewritten/>", 0o600)
        host.start(A)
        host.kill("a")
        assert host.processes == {}
        assert seen == ["start 1", "stop 1", "start 1"]

    def test_refusals(self) -> None:
        host = self.host()
        host.start(A)
        host.stubborn.add("a")
        with pytest.raises(HostError) as refusal:
            host.stop(A, 1)
        assert refusal.value.code == "HST107"
        host.run(B)
        with pytest.raises(HostError) as refusal:
            host.start(B)
        assert refusal.value.code == "HST106"
        host.stop(B, 1)
        host.set_attributes(B.executable, 0o644, "")
        with pytest.raises(HostError) as refusal:
            host.start(B)
        assert refusal.value.code == "HST108"
        host.remove(join(B.directory, "pbx.xml"))
        with pytest.raises(HostError) as refusal:
            host.start(B)
        assert refusal.value.code == "HST106"

    @pytest.mark.parametrize(
        ("services", "definition"),
        [("systemd", "/etc/systemd/system/pbx-a.service"), ("sysv", "/etc/init.d/pbx-a")],
    )
    def test_a_manager_has_to_know_the_service(self, services: str, definition: str) -> None:
        host = FakeHost(services=services)
        install(host, A, b"program")
        assert host.service(A) == ServiceSeen(False, False, False, None)
        for attempt in (host.enable, host.start):
            with pytest.raises(HostError):
                attempt(A)
        host.make_directory(parent(P(definition)), 0o755, "")
        host.write(P(definition), b"", 0o644, "")
        host.reload_services()
        host.enable(A)
        host.start(A)
        assert host.service_states((A,))["a"][:3] == (True, True, True)
        host.disable(A)
        assert not host.service(A).enabled
        assert host.reloads == 1

    def test_a_dry_run_of_a_restart(self) -> None:
        host = self.host()
        host.start(A)
        dry = DryRunHost(host)
        before = host.runtime((A, B))
        dry.stop(A, 1)
        assert dry.runtime((A, B)) == {"a": RuntimeSeen((), ""), "b": RuntimeSeen((), "")}
        assert not dry.service(A).running
        dry.reload_services()
        dry.pause(1000)
        dry.start(A)
        dry.start(B)
        (tree,) = dry.runtime((A,))["a"].trees
        assert tree.sockets == (SocketSeen("tcp", "127.0.0.1", 80, 0),)
        assert dry.service_states((A, B))["b"].running
        dry.disable(A)
        assert not dry.service(A).enabled
        dry.enable(A)
        assert dry.service(A).enabled
        assert host.runtime((A, B)) == before
        assert dry.facts() == host.facts()
        assert dry.foreign_sockets((A,)) == host.foreign_sockets((A,))
        dry.remove(join(B.directory, "pbx.xml"))
        dry.stop(B, 1)
        with pytest.raises(HostError) as refusal:
            dry.start(B)
        assert refusal.value.code == "HST106"
        host.run(B)
        with pytest.raises(HostError) as refusal:
            DryRunHost(host).start(B)
        assert refusal.value.code == "HST106"

    def test_a_dry_run_checks_what_would_be_copied(self, tmp_path: os.PathLike[str]) -> None:
        source = os.path.join(tmp_path, "artefact")
        with open(source, "wb") as file:
            file.write(b"artefact")
        dry = DryRunHost(FakeHost())
        dry.copy_in(P("/f"), source, digest_of(b"artefact"), 0o755, "")
        assert dry.look(P("/f")).digest == digest_of(b"artefact")
        with pytest.raises(HostError) as refusal:
            dry.copy_in(P("/g"), source, digest_of(b"other"), 0o755, "")
        assert refusal.value.code == "HST102"
        with pytest.raises(HostError):
            dry.copy_in(P("/g"), source + "x", digest_of(b"other"), 0o755, "")
        assert dry.look(P("/g")) is ABSENT


EVERY_EFFECT: list[Callable[[Host], None]] = [
    lambda h: h.make_directory(P("/d"), 0o755, ""),
    lambda h: h.write(P("/d/f"), b"x", 0o600, ""),
    lambda h: h.append(P("/d/f"), b"y"),
    lambda h: h.copy_in(P("/d/g"), "/artefact", digest_of(b"artefact"), 0o755, ""),
    lambda h: h.set_attributes(P("/d/f"), 0o644, ""),
    lambda h: h.reload_services(),
    lambda h: h.enable(A),
    lambda h: h.disable(A),
    lambda h: h.start(A),
    lambda h: h.stop(A, 1),
    lambda h: h.remove(P("/d/g")),
]
NAMES = [
    "make_directory", "write", "append", "copy_in", "set_attributes", "reload_services",
    "enable", "disable", "start", "stop", "remove",
]  # fmt: skip


def prepared() -> FakeHost:
    host = FakeHost(sources={"/artefact": b"artefact"})
    install(host, A, b"program")
    return host


def test_effects_are_recorded_in_order() -> None:
    host = RecordingHost(prepared())
    for effect in EVERY_EFFECT:
        effect(host)
    host.pause(1)
    assert [effect.name for effect in host.effects] == NAMES
    assert host.effects[1] == Effect("write", "/d/f")
    assert host.effects[8] == Effect("start", "a")
    with pytest.raises(HostError):
        host.write(P("/none/f"), b"", 0o600, "")
    assert len(host.effects) == len(NAMES)


@given(n=st.integers(0, len(EVERY_EFFECT)), after=st.booleans(), power=st.booleans())
def test_a_failure_comes_once_before_or_after_the_effect(n: int, after: bool, power: bool) -> None:
    fake, twin = prepared(), prepared()
    host = FailingHost(fake, n, after=after, error=Power() if power else None)
    done = 0
    for effect in EVERY_EFFECT:
        try:
            effect(host)
        except (Power, HostError) as error:
            assert isinstance(error, Power) is power
            assert done == n
            break
        done += 1
    assert host.failed is (n < len(EVERY_EFFECT))
    for effect in EVERY_EFFECT[: done + (after and host.failed)]:
        effect(twin)
    assert fake.tree() == twin.tree()
    assert fake.processes.keys() == twin.processes.keys()
    if host.failed:
        host.reload_services()  # it fails once


def test_looking_passes_through_unchanged() -> None:
    fake = prepared()
    fake.start(A)
    for host in (RecordingHost(fake), FailingHost(fake, 0)):
        assert host.look(A.executable) == fake.look(A.executable)
        assert host.read(A.executable) == b"program"
        assert host.identity(A.executable) == fake.identity(A.executable)
        assert host.names(A.directory) == ("pbx.xml", "pbxctrl")
        assert host.service(A) == fake.service(A)
        assert host.service_states((A,)) == fake.service_states((A,))
        assert host.runtime((A,)) == fake.runtime((A,))
        assert host.foreign_sockets(()) == fake.foreign_sockets(())
        assert host.facts() == fake.facts()
        assert (host.runs_services, host.owners_matter) == (True, True)
    assert fake.paused_s == 0
