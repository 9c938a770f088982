"""Hypothesis strategies for fleets, and for what may have happened to a host before."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from pbxfleet.pbx.pbx_xml import read
from support.events import Event, happen
from support.machine import ADDRESSES, Machine, apply_to
from support.targets import Fleet, Seeded, Wish, fleet

History = tuple[str, tuple[Wish, ...] | None, list[tuple[str, Event]]]
NAMES = ("alpha", "beta", "gamma")
PLACES = (*ADDRESSES[9:13], ADDRESSES[-1])
BACKENDS = ("direct", "systemd", "sysv")
FOREIGN = (b"<licence", b"<timezone", b"<pw_pass", b"<!-- kept -->", b"<!-- theirs -->")

# pbx.xml files that were there before, none of which needs to be of our making.
OTHER_SETTINGS = (
    "<config></config>",
    "<c>\n\t<!-- mine -->\n\t<mode>theirs</mode>\n\t<ip_http_port>80</ip_http_port>\n</c>\n",
    "<?xml version='1.0'?><c><sys_name/><log_length>9</log_length><other a='1'>&lt;</other></c>",
    "\ufeff<c>\r\n<mode></mode>\r\n</c>",
    "<c><broken></c>",
)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Wish, ...]:
    """Up to three instances, each on an address of its own."""
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
    places = draw(st.permutations(PLACES))
    return tuple(
        Wish(
            name,
            address,
            release=draw(st.sampled_from(["1", "2"])),
            cpu=draw(st.sampled_from([None, None, 2])),
            failover=draw(st.sampled_from([None, "peer", "other"])),
            backup=draw(st.sampled_from(["*", "-"])),
            settings=draw(SETTINGS),
        )
        for name, address in zip(sorted(chosen), places, strict=False)
    )


def _paths(name: str) -> st.SearchStrategy[str]:
    """Places at which somebody may have been at work, managed or not."""
    folder = f"/srv/pbx-{name}"
    return st.sampled_from(
        [
            f"{folder}/pbxctrl",
            f"{folder}/pbxctrl.dat",
            f"/etc/pbx/failover-{name}.conf",
            f"/etc/pbx/backup-{name}.list",
            f"/etc/systemd/system/pbx-{name}.service",
            f"/etc/init.d/pbx-{name}",
            f"{folder}/recordings.txt",
            "/etc/pbx/other.conf",
        ]
    )


def _events(name: str) -> st.SearchStrategy[Event]:
    """One thing that somebody, or the PBX, did to the host."""
    paths = _paths(name)
    values = st.sampled_from(["a", "web", None])
    ports = st.sampled_from([69, 5060])
    return st.one_of(
        st.tuples(st.just("write"), paths, st.sampled_from(["peer", "*", "edited"])),
        st.tuples(st.just("mode"), paths, st.sampled_from(["0600", "0777"])),
        st.tuples(st.just("owner"), paths, st.just("pbx:pbx")),
        st.tuples(st.just("remove"), paths),
        st.tuples(st.just("link"), paths, st.just("/opt/shared")),
        st.tuples(st.just("directory"), paths),
        st.tuples(st.just("settings"), st.sampled_from(OTHER_SETTINGS)),
        st.tuples(st.just("set"), st.sampled_from(["mode", "sys_name", "theirs"]), values),
        st.just(("remove", f"/srv/pbx-{name}/pbx.xml")),
        st.sampled_from([("run by hand",), ("second process",), ("end",), ("disable",)]),
        st.tuples(st.just("listens"), st.just("udp"), st.just("0.0.0.0"), ports),
    )


HAPPENED = st.lists(
    st.one_of(st.tuples(st.just(name), _events(name)) for name in NAMES), max_size=5
)
SETTINGS = st.dictionaries(
    st.sampled_from(["mode", "extra", "log_length"]),
    st.sampled_from(["a", "b", "", "é & <", None, Seeded("first")]),
    max_size=2,
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A service manager, the fleet that was applied earlier if any, and what happened since."""
    services = draw(st.sampled_from(BACKENDS))
    before = draw(st.none() | wishes())
    return services, before, draw(HAPPENED)


def world(history: History) -> Machine:
    """The machine with that history; things that cannot happen to it are left out."""
    services, before, happened = history
    machine = Machine(services)
    known: Fleet = fleet(*(Wish(n, a) for n, a in zip(NAMES, PLACES, strict=False)))
    if before is not None:
        report = apply_to(fleet(*before, services=services), machine)
        assert not report.failure, report.failure
    for name, event in happened:
        instance = known.target.instances[name]
        running = machine.runs(instance.directory)
        if event[0] == "run by hand" and running:
            continue  # two that both work is what an operating system does not allow
        try:
            happen(machine, instance, event)
        except Exception as error:
            assert "PbxXml" in type(error).__name__, error
    machine.accidents.clear()
    return machine


def foreign_text(content: bytes, declared: set[str]) -> bytes:
    """All bytes of a pbx.xml outside the declared elements and the white space before those."""
    names = "|".join(re.escape(name) for name in sorted(declared))
    element = rf"\s*<({names})(\s[^>]*)?(/>|>[^<]*</\1\s*>)"
    return re.sub(element.encode(), b"", content)


def is_readable(content: bytes) -> bool:
    """Whether a pbx.xml can be understood at all."""
    try:
        read(content)
    except Exception:
        return False
    return True
