"""The manifest says exactly what the target holds, and nothing else is ever taken for one."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.model.ignoring import SUBJECTS, Ignored
from pbxfleet.model.manifest import (
    decode,
    decode_fields,
    encode,
    encode_fields,
    fields_digest,
)
from pbxfleet.model.policy import Acknowledgement, Removals, Rules
from pbxfleet.model.target import (
    ExpectedListener,
    Field,
    Impact,
    InstanceTarget,
    Kind,
    Login,
    Probes,
    Resource,
    Target,
)
from support.rendered import compile_case

texts = st.text(max_size=12)
digests = st.binary(max_size=4).map(digest_of)
names = st.text("abcdefgh-0123", min_size=1, max_size=6)
paths = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/."))
    .filter(str.isprintable)
    .filter(bool),
    min_size=1,
    max_size=3,
).map(lambda parts: HostPath("/" + "/".join(parts)))
optional_texts = st.none() | texts
places = st.lists(texts, max_size=2).map(tuple)

instance_targets = st.builds(
    InstanceTarget,
    name=names,
    directory=paths,
    service=texts,
    executable=paths,
    executable_digest=digests,
    pid_file=paths,
    cpu=st.none() | st.integers(0, 500),
    listeners=st.lists(
        st.builds(
            ExpectedListener,
            st.sampled_from(["tcp", "udp", "any"]),
            texts,
            st.integers(1, 65535),
            texts,
        ),
        max_size=2,
    ).map(tuple),
    addresses=places,
    rtp_address=optional_texts,
    rtp=st.none() | st.tuples(st.integers(1, 65535), st.integers(1, 65535)),
    peer=optional_texts,
    origin=texts,
    api=st.none() | st.builds(Login, texts, paths),
    probes=st.builds(Probes),
)


@st.composite
def resources(draw: st.DrawFn, owners: list[str]) -> Resource:
    kind = draw(st.sampled_from(Kind))
    path = draw(paths)
    key = draw(names) if kind is Kind.SERVICE else path
    return Resource(
        id=f"{kind}:{key}",
        kind=kind,
        path=path,
        instance=draw(st.sampled_from(["", *owners])),
        mode=draw(st.none() | st.integers(0, 0o7777)),
        owner=draw(texts),
        digest=draw(digests),
        impact=draw(st.sampled_from(Impact)),
        source=draw(texts),
        fields_digest=draw(st.none() | digests),
        origin=draw(places),
    )


rules = st.builds(
    Rules,
    restart_budget=st.none() | st.integers(0, 9),
    removals=st.sampled_from([*Removals]).map(str),
    warned=st.lists(texts, max_size=2).map(tuple),
    acknowledged=st.lists(
        st.builds(Acknowledgement, code=texts, what=texts, reason=texts, expires=texts), max_size=2
    ).map(tuple),
    ignored=st.lists(
        st.builds(
            Ignored,
            what=st.sampled_from(SUBJECTS),
            pattern=texts,
            kind=texts,
            instance=texts,
            reason=texts,
            expires=texts,
        ),
        max_size=2,
    ).map(tuple),
)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    instances = {i.name: i for i in draw(st.lists(instance_targets, max_size=3))}
    found = draw(st.lists(resources(sorted(instances)), max_size=4))
    return Target(
        host=draw(texts),
        fleet=draw(texts),
        services=draw(texts),
        affinity=draw(texts),
        stop_timeout_s=draw(st.integers(0, 600)),
        deletion_budget=draw(st.integers(0, 9)),
        addresses=draw(places),
        instances=instances,
        resources={resource.id: resource for resource in found},
        inputs=draw(st.dictionaries(texts, digests, max_size=2)),
        digest=Digest(""),
        rules=draw(rules),
    )


fields = st.builds(
    Field,
    name=texts,
    value=optional_texts,
    secret=optional_texts,
    ownership=texts,
    impact=st.sampled_from(Impact),
    label=texts,
    origin=texts,
    overrode=places,
)


@given(targets())
def test_decoding_undoes_encoding(target: Target) -> None:
    content = encode(target)
    assert decode(content) == target._replace(digest=digest_of(content))
    assert encode(decode(content)) == content


@given(st.lists(fields, max_size=4, unique_by=lambda f: f.name))
def test_decoding_fields_undoes_encoding(declared: list[Field]) -> None:
    assert decode_fields(encode_fields(declared)) == tuple(declared)


@given(targets())
def test_a_manifest_is_ascii_lines_with_one_thing_each(target: Target) -> None:
    content = encode(target)
    assert content.isascii() and content.endswith(b"\n")
    lines = content.decode().splitlines()
    assert sum(line.startswith('{"digest": ') for line in lines) == len(target.resources)


def test_the_digest_of_fields_is_about_what_is_declared() -> None:
    field = Field("a", "1", None, "owned", Impact.LIVE, "settings.a", "x:1:1", ())
    moved = field._replace(origin="x:9:1", overrode=("y:1:1",), label="other")
    other = field._replace(name="b")
    assert fields_digest([field]) == fields_digest([moved])
    assert fields_digest([field, other]) == fields_digest([other, field])
    for changed in (field._replace(value="2"), field._replace(ownership="seeded"), other):
        assert fields_digest([field]) != fields_digest([changed])


@functools.cache
def golden_bytes() -> bytes:
    outcome = compile_case("systemd")
    assert outcome.value is not None
    return outcome.value.files["manifest.json"]


def golden() -> dict[str, Any]:
    document = json.loads(golden_bytes())
    assert isinstance(document, dict)
    return document


def values(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every value within a JSON document."""
    found = [path]
    if isinstance(node, dict):
        found += [p for key, value in node.items() for p in values(value, (*path, key))]
    if isinstance(node, list):
        found += [p for number, value in enumerate(node) for p in values(value, (*path, number))]
    return found


VALUES = values(golden())
ODD = [None, True, -1, 1.5, "", "\x00", [], {}, [[]], "../etc", "/a/../b", "\ud800", 10**30]


@given(st.sampled_from(VALUES[1:]), st.sampled_from(ODD))
def test_a_changed_value_is_refused_or_read_but_never_a_traceback(
    path: tuple[Any, ...], odd: object
) -> None:
    document = golden()
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = odd
    try:
        target = decode(json.dumps(document).encode())
    except Refused as refused:
        assert refused.code == "PLN150"
        assert refused.message.startswith("manifest.json cannot be used: ")
        assert "\n" not in refused.message
    else:
        assert all("/../" not in r.path and r.path[0] == "/" for r in target.resources.values())


@given(st.sampled_from([path for path in VALUES[1:] if isinstance(path[-1], str)]))
def test_a_missing_key_is_refused(path: tuple[Any, ...]) -> None:
    document = golden()
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    if path[:-1] in (("inputs",), ("instances",), ("other_roles",)):
        return  # these keys are names; leaving one out says something else, not something broken
    if path == ("other_roles",):
        assert decode(json.dumps(document).encode()).other_roles == {}  # older ones have none
        return
    with pytest.raises(Refused):
        decode(json.dumps(document).encode())


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_other_bytes_are_refused(content: bytes) -> None:
    for read in (decode, decode_fields):
        with pytest.raises(Refused):
            read(content)


def twice(document: dict[str, Any]) -> None:
    document["resources"].append(document["resources"][0])


def stray(document: dict[str, Any]) -> None:
    del document["instances"]["beta"]


def renamed(document: dict[str, Any]) -> None:
    document["resources"][0]["id"] = "file:/etc/passwd"


def later(document: dict[str, Any]) -> None:
    document["format"] = 2


def climbing(document: dict[str, Any]) -> None:
    document["instances"]["acme"]["directory"] = "/usr/local/../../etc"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (twice, "file:/etc/pbx/backup.exclude is there twice"),
        (stray, "artefact:/usr/local/pbx/pbxctrl belongs to an unknown instance"),
        (renamed, "the id does not fit kind file and path /etc/pbx/backup.exclude"),
        (later, "its format is 2; this program reads 1"),
        (climbing, "'/usr/local/../../etc' is not a normalised absolute path"),
    ],
)
def test_what_is_wrong_is_said(change: Callable[[dict[str, Any]], None], message: str) -> None:
    document = golden()
    change(document)
    with pytest.raises(Refused) as refused:
        decode(json.dumps(document).encode())
    assert refused.value.message.endswith(message)


def test_deep_nesting_is_refused() -> None:
    for content in (b"[" * 100_000, b'{"format":' * 100_000):
        with pytest.raises(Refused):
            decode(content)


@pytest.mark.parametrize(
    "change",
    [
        {"restart_budget": "3"},
        {"restart_budget": True},
        {"removals": "yes"},
        {"warned": [1]},
        {"acknowledged": [{"code": "POL102"}]},
        {"acknowledged": [{"code": "POL102", "what": "a/b", "reason": "", "expires": 1}]},
        {"acknowledged": 1},
    ],
)
def test_rules_that_compile_does_not_write_are_refused(change: dict[str, Any]) -> None:
    document = golden()
    sound = {"restart_budget": None, "removals": "budget", "warned": [], "acknowledged": []}
    document["rules"] = sound
    assert decode(json.dumps(document).encode()).rules == Rules()
    document["rules"] = sound | change
    with pytest.raises(Refused):
        decode(json.dumps(document).encode())
