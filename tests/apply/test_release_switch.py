"""Executable and resources always belong together: wherever a run ends, no mixed pair is ever started."""

from __future__ import annotations

import contextlib
import copy
import json

import pytest

from pbxfleet.core.digest import digest_of
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.wrap import FailingHost, Power, RecordingHost
from pbxfleet.model.applied import decode_record, encode_record
from pbxfleet.model.target import InstanceTarget
from support.events import happen
from support.machine import Machine, applied, apply_to, memory_of, plan_of, records_on
from support.targets import Fleet, Wish, fleet, release_file

BACKENDS = ("systemd", "sysv", "compose")
FILES = ("pbxctrl", "pbxctrl.dat")


class Watching(Machine):
    """Notes every start, by whomever, of an instance whose two files are not of one release."""

    def start(self, instance: InstanceTarget) -> None:
        if not whole(self, instance):
            self.accidents.append(f"{instance.name} was started on a mixed pair")
        super().start(instance)


def pair(machine: Machine, instance: InstanceTarget) -> tuple[str, ...]:
    """The releases of the two files."""
    contents = [machine.read(join(instance.directory, name)) or b"" for name in FILES]
    return tuple(content.decode().split()[-1] for content in contents)


def whole(machine: Machine, instance: InstanceTarget) -> bool:
    return len(set(pair(machine, instance))) == 1


def boot(machine: Machine, known: Fleet) -> None:
    """The power comes back: the service manager starts whatever is enabled."""
    machine.processes.clear()
    for instance in known.target.instances.values():
        if machine.service(instance).enabled:
            machine.start(instance)


def before(services: str) -> Fleet:
    return fleet(Wish("alpha"), Wish("beta", "192.0.2.11"), services=services)


def after(services: str) -> Fleet:
    """Both are upgraded, one with a setting."""
    alpha = Wish("alpha", release="2", settings={"mode": "b"})
    return fleet(alpha, Wish("beta", "192.0.2.11", release="2"), services=services)


def machine_before(services: str) -> Machine:
    machine = applied(before(services), services)
    machine.__class__ = Watching
    return machine


def effects(services: str) -> int:
    recorded = RecordingHost(machine_before(services))
    apply_to(after(services), recorded)
    return len(recorded.effects)


@pytest.mark.parametrize("services", BACKENDS)
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_the_power_goes_out_at_any_effect_and_comes_back(services: str, late: bool) -> None:
    wanted, start = after(services), machine_before(services)
    halves = 0
    for n in range(effects(services)):
        machine = copy.deepcopy(start)
        with contextlib.suppress(Power):
            apply_to(wanted, FailingHost(machine, n, after=late, error=Power()))
        halves += not all(whole(machine, i) for i in wanted.target.instances.values())
        boot(machine, wanted)
        assert machine.accidents == [], n
        assert not apply_to(wanted, machine).failure
        assert machine.accidents == [], n
        assert {pair(machine, i) for i in wanted.target.instances.values()} == {("2", "2")}
        assert not plan_of(wanted, machine).steps
    assert halves, "no run ended between the two files: nothing was tested"


@pytest.mark.parametrize("services", (*BACKENDS, "direct"))
def test_an_effect_fails_and_the_undo_may_fail_as_well(services: str) -> None:
    wanted, start = after(services), machine_before(services)
    count = effects(services)
    for first in range(count):
        for second in (None, *range(first + 1, first + 9)):
            machine = copy.deepcopy(start)
            host = machine if second is None else FailingHost(machine, second)
            apply_to(wanted, FailingHost(host, first, after=True))
            assert machine.accidents == [], (first, second)
            if services != "direct":
                boot(machine, wanted)
                assert machine.accidents == [], (first, second)


def test_a_file_that_is_exchanged_during_the_run_is_noticed_before_the_start() -> None:
    """Somebody else is at work at the same time, and puts a third release there."""

    class Meddling(Watching):
        def enable(self, instance: InstanceTarget) -> None:
            super().enable(instance)
            path = join(instance.directory, "pbxctrl.dat")
            self.write(path, release_file("3", "pbxctrl.dat"), None, "root:root")

    machine = machine_before("systemd")
    machine.__class__ = Meddling
    report = apply_to(after("systemd"), machine)
    assert "is not of the declared release; nothing is started" in report.failure
    assert machine.accidents == []


def test_both_files_are_read_before_a_start_that_changes_neither() -> None:
    """A stamp of the kernel can be forged by whoever can write to the disk itself."""
    wanted = before("direct")
    machine = machine_before("direct")
    alpha = wanted.target.instances["alpha"]
    happen(machine, alpha, ("end",))
    plan = plan_of(wanted, machine)
    machine.write(join(alpha.directory, "pbxctrl"), b"other 1", None, "root:root")
    report = apply_to(wanted, machine, plan)
    assert "is not of the declared release" in report.failure
    assert not machine.runs(alpha.directory)


def test_the_digests_of_the_stand_ins_are_those_of_their_contents() -> None:
    """What `whole` looks at is what the target pins."""
    wanted = after("direct")
    for name in FILES:
        path = HostPath(f"/srv/pbx-alpha/{name}")
        resource = wanted.target.resources[f"artefact:{path}"]
        assert resource.digest == digest_of(release_file("2", name))


def test_a_record_of_an_earlier_version_has_no_name_of_its_release_and_does_no_harm() -> None:
    """Fields of an instance that came later are missing at the end of what is stored."""
    start = before("direct")
    record = records_on(machine_before("direct"))["alpha"]
    data = json.loads(encode_record(record))
    at = InstanceTarget._fields.index("release")
    data["declared"] = data["declared"][:at]
    old = decode_record(json.dumps(data).encode())
    assert old.declared is not None
    assert old.declared.release == ""
    assert old.resources == record.resources
    machine = machine_before("direct")
    memory_of(machine).remember(old)
    plan = plan_of(start, machine)
    assert not plan.steps
    assert plan.outdated == ("alpha",)
    plan = plan_of(after("direct"), machine)
    reasons = {c.reason for c in plan.changes if c.kind == "artefact"}
    assert reasons == {"release 1 -> 2 (upgrade)"}, "told by the digests, then"
