"""Whatever the fleet: every file of every instance is in its list, and nothing of it is left out unasked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.paths import STATE, HostPath, is_inside
from pbxfleet.model.backup import BackupPart, BackupProgram, BackupTarget, BackupWish, HostBackup
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.target import Kind
from pbxfleet.render.backups.contents import Contents, of_all, of_host, of_instance
from pbxfleet.render.compile import compile_host
from support.backup_bed import host_with
from support.resolved import INPUTS, Places, Wish, host, reference, sourced

TEMPLATE = "failover.conf.j2"
parts = st.dictionaries(
    st.sampled_from([p for p in BackupPart if p not in (BackupPart.CDR, BackupPart.SNAPSHOTS)]),
    st.booleans().map(sourced),
)
wishes = st.builds(
    Wish,
    name=st.sampled_from([f"pbx{n}" for n in range(6)]),
    address=st.sampled_from(["203.0.113.10", "2001:db8::1"]),
    directory=st.none() | st.sampled_from(["/srv/a", "/srv/b c", "/opt/[x]*"]),
    recordings=st.booleans(),
    peer=st.sampled_from(["", "other"]),
    backup=st.builds(
        BackupWish, parts, st.just({}), st.none() | st.just((sourced(HostPath("/etc/env")),))
    ),
)
fleets = st.lists(wishes, max_size=4, unique_by=(lambda w: w.name, lambda w: w.directory or w.name))
# A host with Windows has no lists: its backups are made by programs of that machine (BKP110).
linux = st.sampled_from([s for s in ServiceBackend if s is not ServiceBackend.WINDOWS])
programs = st.lists(st.sampled_from(BackupProgram), unique=True)
layouts = st.sampled_from(
    [
        Places(),
        Places(pid_file="/usr/local/pbx-{name}/pbx.pid", failover_file="/srv/f-{name}"),
        Places(backup_list="/var/b/{name}", backup_exclude="/usr/local/pbx-{name}/x"),
    ]
)


def covers(listed: Contents, path: str) -> bool:
    """Whether a path is below one of the listed ones."""
    return any(is_inside(path, one) for one in listed.paths)


@given(fleets, programs, layouts, linux)
def test_lists_cover_every_resource(
    found: list[Wish], used: list[BackupProgram], places: Places, services: ServiceBackend
) -> None:
    targets = [BackupTarget(program, sourced(f"/mnt/{program}")) for program in used]
    backup = host_with([], targets).file.backup
    assert isinstance(backup, HostBackup)
    resolved = host(found, services, template=TEMPLATE, places=places, backup=backup)
    templates = {f"desired/{TEMPLATE}": b"{{ instance }}\n"}
    compiled = compile_host(resolved, "f", 1, reference(), templates, INPUTS)
    if compiled.value is None:  # a path that this service manager cannot run
        return
    lists = {instance.name: of_instance(instance) for instance in resolved.instances}
    lists[""], whole = of_host(resolved), of_all(resolved)
    for resource in compiled.value.target.resources.values():
        if resource.kind is Kind.SERVICE:
            continue
        own = lists[resource.instance]
        in_folder = is_inside(resource.path, backup.directory.value)
        assert covers(own, resource.path) or (in_folder and covers(lists[""], resource.path))
        assert covers(whole, resource.path)
    assert covers(whole, STATE)
    for instance in resolved.instances:
        extra = [path.value for path in instance.backup.extra]
        assert {instance.paths.directory, *extra} <= set(lists[instance.name].paths)


@given(fleets)
def test_nothing_is_left_out_unasked(found: list[Wish]) -> None:
    asked = {
        "pbxctrl": BackupPart.RELEASE_FILES,
        "pbxctrl.dat": BackupPart.RELEASE_FILES,
        "audio_*": BackupPart.PROMPTS,
        "recordings/*": BackupPart.RECORDINGS,
        "*.log": BackupPart.LOGS,
    }
    by_name = {wish.name: wish for wish in found}
    for instance in host(found).instances:
        wish = by_name[instance.name]
        patterns = {one.pattern for one in of_instance(instance).left_out}
        assert "pbx.xml" not in patterns
        for pattern in patterns - {"setup.json"}:
            said = wish.backup.kept.get(asked[pattern])
            default = asked[pattern] is BackupPart.LOGS or not wish.recordings
            assert default if said is None else not said.value
