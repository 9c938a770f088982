"""What must hold of compiling, whatever the fleet: same input, same bytes; instances do not mix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.digest import digest_of
from pbxfleet.model.desired import AffinityBy, SecretRef, ServiceBackend
from pbxfleet.model.manifest import decode_fields
from pbxfleet.render.compile import Rendered, compile_host
from support.resolved import INPUTS, Wish, host, reference
from support.tree import ROOT

TEMPLATE = "failover.conf.j2"
# A path would be a file that the PBX writes, which not every service manager lets it.
texts = st.text(max_size=8).filter(lambda text: text.isprintable() and not text.startswith("/"))
values = st.none() | texts | st.just(SecretRef("a/b"))
wishes = st.builds(
    Wish,
    name=st.sampled_from([f"pbx{n}" for n in range(6)]),
    address=st.sampled_from(["203.0.113.10", "2001:db8::1"]),
    cpu=st.none() | st.integers(0, 3),
    number=st.none() | st.integers(1, 9),
    recordings=st.booleans(),
    peer=st.sampled_from(["", "other"]),
    settings=st.dictionaries(st.sampled_from(["sys_name", "email_global", "x"]), values),
)
fleets = st.lists(wishes, max_size=4, unique_by=lambda wish: wish.name)
services = st.sampled_from(ServiceBackend)


def compiled(found: list[Wish], manager: ServiceBackend) -> Rendered:
    resolved = host(found, manager, affinity=AffinityBy.UNIT, template=TEMPLATE)
    templates = {f"desired/{TEMPLATE}": b"{{ instance }} {{ role }}\n"}
    outcome = compile_host(resolved, "f", 1, reference(), templates, INPUTS)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


@given(fleets, services)
def test_the_order_of_instances_does_not_matter(found: list[Wish], manager: ServiceBackend) -> None:
    assert compiled(found, manager) == compiled(found[::-1], manager)


@given(fleets.filter(bool), services)
def test_an_instance_more_or_less_changes_nothing_of_the_others(
    found: list[Wish], manager: ServiceBackend
) -> None:
    whole, fewer = compiled(found, manager), compiled(found[1:], manager)
    kept = [r for r in fewer.target.resources.values() if r.instance]
    for resource in kept:
        assert whole.target.resources[resource.id] == resource
        if resource.source in fewer.files:
            assert whole.files[resource.source] == fewer.files[resource.source]
    for name, declared in fewer.target.instances.items():
        assert whole.target.instances[name] == declared
        settings = f"settings/{name}.json"
        assert whole.files[settings] == fewer.files[settings]
    gone = found[0].name
    assert {r.instance for r in whole.target.resources.values()} - {gone} <= {
        "",
        *(r.instance for r in kept),
    }


@given(fleets, services)
def test_digests_are_those_of_the_files(found: list[Wish], manager: ServiceBackend) -> None:
    target, files = compiled(found, manager)
    assert target.digest == digest_of(files["manifest.json"])
    for resource in target.resources.values():
        if resource.source in files:
            assert resource.digest == digest_of(files[resource.source])
    assert all(resource.origin for resource in target.resources.values())


@given(fleets, services)
def test_what_is_declared_is_in_the_file_of_settings(
    found: list[Wish], manager: ServiceBackend
) -> None:
    files = compiled(found, manager).files
    for wish in found:
        fields = {f.name: f for f in decode_fields(files[f"settings/{wish.name}.json"])}
        for name, value in wish.settings.items():
            if isinstance(value, SecretRef):
                assert (fields[name].value, fields[name].secret) == (None, "a/b")
            else:
                assert (fields[name].value, fields[name].secret) == (value, None)


PRINT_DIGESTS = """
from support.rendered import cases, compile_case
for case in cases():
    for name, content in compile_case(case).value.files.items():
        print(case, name, __import__("hashlib").sha256(content).hexdigest())
"""


def digests(folder: Path, **environment: str) -> str:
    path = os.pathsep.join([str(ROOT / "compiler"), str(ROOT / "tests"), *sys.path[1:]])
    script = 'umask "$1"; exec "$2" -c "$3"'
    arguments = (environment.pop("umask"), sys.executable, PRINT_DIGESTS)
    done = subprocess.run(
        ["sh", "-c", script, "sh", *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"], **environment},
        timeout=120,
    )
    return done.stdout


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("usual")
    return digests(folder, umask="022", PYTHONHASHSEED="0", LC_ALL="C.UTF-8", TZ="UTC")


@pytest.mark.parametrize(
    "other",
    [
        {"PYTHONHASHSEED": "1", "umask": "077"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "umask": "000"},
        {"TZ": "Pacific/Chatham", "LANG": "tr_TR.UTF-8", "umask": "027"},
        {"PYTHONOPTIMIZE": "2", "umask": "022"},
    ],
)
def test_the_surroundings_do_not_matter(usual: str, tmp_path: Path, other: dict[str, str]) -> None:
    assert usual and digests(tmp_path, **other) == usual
