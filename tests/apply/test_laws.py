"""What holds for every fleet on every host: DESIGN section 8, on a host in memory."""

from __future__ import annotations

from hypothesis import event, given
from hypothesis import strategies as st

from pbxfleet.core.paths import HostPath
from pbxfleet.host.state import FOLDER
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.plan import Verb
from support.machine import (
    Look,
    Machine,
    announced,
    applied,
    apply_to,
    effects_on_host,
    plan_of,
    settle,
)
from support.targets import Fleet, Wish, fleet
from support.worlds import History, foreign_text, histories, is_readable, wishes, world


def managed(*fleets: Fleet) -> set[str]:
    return {r.path for f in fleets for r in f.target.resources.values()}


def declared_elements(*fleets: Fleet) -> set[str]:
    return {f.name for known in fleets for fs in known.contents.settings.values() for f in fs}


@given(histories(), wishes())
def test_apply_converges_and_a_second_apply_has_no_effect(
    history: History, wanted: tuple[Wish, ...]
) -> None:
    machine = world(history)
    target = fleet(*wanted, services=history[0])
    plan = plan_of(target, machine)
    if plan.blocked:
        event(f"blocked by {plan.blocked[0].code}")
        return
    recorded = RecordingHost(machine)
    report = apply_to(target, recorded, plan)
    if report.failure:
        # Nothing but what is there to stay may keep a plan from working: sockets of our own making.
        assert machine.extra, report.failure
        event("failed")
        return
    event("applied" if plan.steps else "nothing to do")
    assert effects_on_host(recorded.effects) == announced(plan)
    settle(target, machine)


@given(histories(), wishes())
def test_what_is_not_managed_is_untouched(history: History, wanted: tuple[Wish, ...]) -> None:
    services, before, _ = history
    machine = world(history)
    target = fleet(*wanted, services=services)
    known = [target] if before is None else [target, fleet(*before, services=services)]
    tree = machine.tree()
    plan = plan_of(target, machine)
    if not plan.blocked:
        apply_to(target, machine, plan)
    made = {s.path for s in plan.steps}
    after = machine.tree()
    for path in tree.keys() | after.keys():
        if path in (*managed(*known), "/var", "/var/lib", "/etc/pbx") or path.startswith(FOLDER):
            continue
        if tree.get(path) != after.get(path):
            assert path not in tree and any(m.startswith(path + "/") for m in made), path
    for wish in target.wishes:
        old, new = tree.get(wish.pbx_xml), after.get(wish.pbx_xml)
        if old is not None and new is not None and is_readable(old[3] or b""):
            names = declared_elements(*known)
            assert foreign_text(old[3] or b"", names) == foreign_text(new[3] or b"", names)
            assert old[1:3] == new[1:3], "mode and owner are the customer's"


@given(histories(), wishes())
def test_a_blocked_or_empty_plan_says_so_and_planning_never_writes(
    history: History, wanted: tuple[Wish, ...]
) -> None:
    machine = world(history)
    target = fleet(*wanted, services=history[0])
    tree, pids = machine.tree(), {k: [p.pid for p in v] for k, v in machine.processes.items()}
    recorded = RecordingHost(machine)
    plan = plan_of(target, recorded)
    assert plan == plan_of(target, machine), "the same host gives the same plan"
    assert recorded.effects == [] and machine.tree() == tree
    assert pids == {k: [p.pid for p in v] for k, v in machine.processes.items()}
    assert [s.number for s in plan.steps] == list(range(1, len(plan.steps) + 1))
    done = {c.resource for c in plan.changes if c.action is not Verb.KEEP}
    stepped = {s.resource for s in plan.steps} - {""}
    assert stepped <= done
    services = {c.resource for c in plan.changes if c.action is Verb.REMOVE and c.kind == "service"}
    assert done - stepped <= services, "only a removal may have nothing left to do"


@given(wishes(), wishes(), st.sampled_from(["direct", "systemd", "sysv"]))
def test_from_one_fleet_to_any_other_and_back(
    first: tuple[Wish, ...], second: tuple[Wish, ...], services: str
) -> None:
    one, other = fleet(*first, services=services), fleet(*second, services=services)
    machine = applied(one, services)
    settle(other, machine)
    settle(one, machine)


@given(wishes(), st.data())
def test_records_that_are_lost_cost_nothing_on_a_host_that_is_as_declared(
    wanted: tuple[Wish, ...], data: st.DataObject
) -> None:
    target = fleet(*wanted)
    machine = applied(target)
    pids = {k: [p.pid for p in v] for k, v in machine.processes.items()}
    for path in [p for p in machine.tree() if p.startswith(f"{FOLDER}/records/applied/")]:
        if data.draw(st.booleans()):
            machine.remove(HostPath(path))
    plan = plan_of(target, machine)
    assert not plan.steps
    settle(target, machine)
    assert pids == {k: [p.pid for p in v] for k, v in machine.processes.items()}, "nobody restarted"


def test_two_instances_swap_their_addresses() -> None:
    alpha, beta = Wish("alpha", "192.0.2.10"), Wish("beta", "192.0.2.11")
    machine = applied(fleet(alpha, beta))
    swapped = fleet(Wish("alpha", beta.address), Wish("beta", alpha.address))
    settle(swapped, machine)
    assert sockets(machine, alpha) == {("tcp", beta.address, 80), ("udp", beta.address, 5060)}


def test_two_that_run_swapped_on_a_host_that_was_never_applied() -> None:
    alpha, beta = Wish("alpha", "192.0.2.10"), Wish("beta", "192.0.2.11")
    machine = applied(fleet(Wish("alpha", beta.address), Wish("beta", alpha.address)))
    forget(machine)
    settle(fleet(alpha, beta), machine)
    assert sockets(machine, alpha) == {("tcp", alpha.address, 80), ("udp", alpha.address, 5060)}


def test_the_address_of_a_removed_instance_is_taken_over_in_one_apply() -> None:
    machine = applied(fleet(Wish("zeta", "192.0.2.10")))
    settle(fleet(Wish("alpha", "192.0.2.10")), machine)
    assert machine.runs("/srv/pbx-zeta") == 0 and machine.runs("/srv/pbx-alpha") == 1


def test_an_address_is_handed_on_through_a_row_of_instances() -> None:
    places = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"]
    row = ["alpha", "beta", "gamma"]
    machine = applied(fleet(*(Wish(n, a) for n, a in zip(row, places[:3], strict=True))))
    plan = plan_of(
        moved := fleet(*(Wish(n, a) for n, a in zip(row, places[1:], strict=True))), machine
    )
    assert plan.restarts() == ("gamma", "beta", "alpha"), "who is waited for goes first"
    settle(moved, machine)


def test_a_wildcard_by_hand_gives_way_to_those_it_keeps_out() -> None:
    machine = applied(fleet(Wish("zeta", "192.0.2.20", http=8080)))
    zeta = Look(fleet(Wish("zeta", "192.0.2.20", http=8080)), machine).records["zeta"].declared
    assert zeta is not None
    machine.write_as_pbx(zeta, lambda content: content.replace(b"192.0.2.20:8080", b":80"))
    machine.kill(zeta.executable)
    machine.run(zeta)
    settle(fleet(Wish("zeta", "192.0.2.20", http=8080), Wish("alpha", "192.0.2.10")), machine)


def test_a_removed_instance_keeps_its_directory() -> None:
    target = fleet(Wish("alpha"))
    machine = applied(target)
    machine.write(HostPath("/srv/pbx-alpha/cdr.db"), b"calls", 0o600, "root:root")
    before = below(machine, "/srv/pbx-alpha")
    settle(fleet(), machine)
    assert below(machine, "/srv/pbx-alpha") == before
    assert machine.runs("/srv/pbx-alpha") == 0
    assert Look(fleet(), machine).observed.strays == (), "it is known, not a stray"


def test_a_removed_instance_that_comes_back_has_its_data() -> None:
    target = fleet(Wish("alpha", settings={"mode": "a"}), services="systemd")
    machine = applied(target, "systemd")
    alpha = target.target.instances["alpha"]
    machine.write_as_pbx(
        alpha, lambda content: content.replace(b"<timezone/>", b"<tenants>9</tenants>")
    )
    settle(fleet(services="systemd"), machine)
    settle(target, machine)
    assert b"<tenants>9</tenants>" in (machine.read(HostPath("/srv/pbx-alpha/pbx.xml")) or b"")


def test_an_instance_takes_over_the_directory_of_a_removed_one() -> None:
    machine = applied(fleet(Wish("alpha", "192.0.2.10")))
    renamed = fleet(Wish("beta", "192.0.2.10", directory="/srv/pbx-alpha"))
    plan = plan_of(renamed, machine)
    assert plan.removed_instances() == ("alpha",)
    settle(renamed, machine)
    assert machine.runs("/srv/pbx-alpha") == 1
    assert Look(renamed, machine).difference.notes == (), "nothing is left to be said of alpha"


def test_removals_are_counted_whether_or_not_they_have_steps() -> None:
    target = fleet(Wish("alpha"), Wish("beta", "192.0.2.11"), services="systemd")
    machine = applied(target, "systemd")
    for name in ("alpha", "beta"):
        machine.remove(HostPath(f"/etc/systemd/system/pbx-{name}.service"))
    plan = plan_of(fleet(services="systemd"), machine)
    assert plan.removed_instances() == ("alpha", "beta")
    assert plan.restarts() == (), "who is stopped for good is not restarted"
    for path in [p for p in machine.tree() if p.startswith("/etc/pbx/") and "host" not in p]:
        machine.remove(HostPath(path))
    machine.processes.clear()
    machine.enabled.clear()
    left = fleet(services="systemd")
    plan = plan_of(left, machine)
    assert plan.removed_instances() == ("alpha", "beta")
    assert {s.wave for s in plan.steps} == {""} and plan.outdated == ("alpha", "beta")
    settle(left, machine)
    assert plan_of(left, machine).removed_instances() == ()


def test_a_removed_instance_may_come_back_in_another_directory() -> None:
    machine = applied(fleet(Wish("alpha")))
    settle(fleet(), machine)
    settle(fleet(Wish("alpha", directory="/srv/pbx-new")), machine)
    elsewhere = Look(fleet(Wish("alpha", directory="/srv/pbx-new")), machine)
    assert [s.path for s in elsewhere.observed.strays] == ["/srv/pbx-alpha"]


def test_an_instance_that_was_moved_while_it_ran_is_stopped_where_it_is() -> None:
    machine = applied(fleet(Wish("alpha")))
    moved = fleet(Wish("alpha", directory="/srv/pbx-new"))
    alpha = moved.target.instances["alpha"]
    for path in [p for p in machine.tree() if p.startswith("/srv/pbx-alpha/")]:
        place = HostPath(path.replace("pbx-alpha", "pbx-new"))
        machine.make_directory(alpha.directory, 0o755, "root:root")
        machine.write(place, machine.read(HostPath(path)) or b"", 0o755, "root:root")
        machine.remove(HostPath(path))
    machine.kill("/srv/pbx-alpha/pbxctrl")
    machine.run(alpha)
    settle(fleet(Wish("alpha", directory="/srv/pbx-new", release="2")), machine)
    assert machine.runs("/srv/pbx-new") == 1


def test_the_folder_of_a_file_is_made_with_it() -> None:
    machine = applied(fleet(Wish("alpha")))
    seen = machine.look(HostPath("/etc/pbx"))
    assert (seen.what.value, seen.mode, seen.owner) == ("directory", 0o755, "root:root")


def test_a_file_that_became_something_else_is_not_pruned() -> None:
    machine = applied(fleet(Wish("alpha", failover="pbxctrl 1")))
    target = fleet(Wish("alpha", failover=None))
    artefact = target.target.resources["artefact:/srv/pbx-alpha/pbxctrl"]
    path = HostPath("/etc/pbx/failover-alpha.conf")
    moved = artefact._replace(id=f"artefact:{path}", path=path, mode=0o640)
    resources = {**target.target.resources, moved.id: moved}
    settle(target._replace(target=target.target._replace(resources=resources)), machine)
    assert machine.read(path) == b"pbxctrl 1"


def test_a_mode_that_is_not_declared_is_the_hosts() -> None:
    target = fleet(Wish("alpha"))
    path = HostPath("/etc/pbx/backup-alpha.list")
    listed = target.target.resources[f"file:{path}"]
    resources = {**target.target.resources, listed.id: listed._replace(mode=None)}
    loose = target._replace(target=target.target._replace(resources=resources))
    machine = applied(loose)
    assert machine.look(path).mode == 0o600, "as tight as can be where nothing is said"
    machine.set_attributes(path, 0o604, "pbx:pbx")
    settle(loose, machine)
    assert (machine.look(path).mode, machine.look(path).owner) == (0o604, "root:root")


def forget(machine: Machine) -> None:
    for path in [p for p in machine.tree() if p.startswith(f"{FOLDER}/records/applied/")]:
        machine.remove(HostPath(path))


def sockets(machine: Machine, wish: Wish) -> set[tuple[str, str, int]]:
    return {s[:3] for p in machine.processes[wish.pbxctrl] for s in p.sockets}


def below(machine: Machine, folder: str) -> dict[str, object]:
    return {p: e for p, e in machine.tree().items() if p.startswith(folder)}
