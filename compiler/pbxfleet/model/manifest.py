"""The compiled target as files: `manifest.json` of a host and `settings/<instance>.json`.

Part of the host half: decoding a thousand instances costs one JSON parse and one tuple a resource.
Both formats put one thing on one line, sorted, so that a diff of two revisions reads well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pbxfleet.core.digest import Digest, digest_of, digest_of_data
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.model.guards import GENERATIONS, NO_GUARDS, Guards, Removed
from pbxfleet.model.maintenance import NO_MAINTENANCE, maintenance_from
from pbxfleet.model.policy import NO_RULES, rules_from
from pbxfleet.model.sinks import NO_SINKS, sinks_from
from pbxfleet.model.target import (
    ExpectedListener,
    Field,
    Impact,
    InstanceTarget,
    Kind,
    Login,
    ReleaseTarget,
    Resource,
    Target,
    probes_from,
)

if TYPE_CHECKING:
    from json import JSONEncoder

T = TypeVar("T")

FORMAT = 1
MANIFEST = "manifest.json"
PROTOCOLS = ("tcp", "udp", "any")
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_IMPACTS: Mapping[str, Impact] = {impact.value: impact for impact in Impact}
_TEXT_KEYS = ("host", "fleet", "services", "affinity", "downgrades", "artefacts")
_OPTIONAL_KEYS = ("program", "network")  # left out where they are empty
_NUMBER_KEYS = ("stop_timeout_s", "start_timeout_s", "deletion_budget")
_resource_values = itemgetter(*Resource._fields)
_instance_values = itemgetter(*InstanceTarget._fields)
_release_values = itemgetter(*ReleaseTarget._fields)
_field_values = itemgetter(*Field._fields)
_guard_values = itemgetter(*Guards._fields)
_new = tuple.__new__  # half the time of the constructor, which only unpacks and packs again


class _Malformed(Exception):
    """What is wrong with a document, without its name."""


def encode(target: Target) -> bytes:
    """`manifest.json`: resources by instance and id, the rest by name; without `digest`."""
    parts: dict[str, str] = {key: _line(getattr(target, key)) for key in _TEXT_KEYS + _NUMBER_KEYS}
    parts |= {key: _line(text) for key in _OPTIONAL_KEYS if (text := getattr(target, key))}
    if target.guards != NO_GUARDS:
        parts["guards"] = _line(target.guards._asdict())
    if target.rules != NO_RULES:
        rules = target.rules._asdict()
        for key in ("acknowledged", "ignored"):
            rules[key] = [one._asdict() for one in rules[key]]
        if not rules["ignored"]:
            del rules["ignored"]
        parts["rules"] = _line(rules)
    if target.sinks != NO_SINKS:
        parts["sinks"] = _line(target.sinks._asdict())
    if target.maintenance != NO_MAINTENANCE:
        known = target.maintenance
        parts["maintenance"] = _line({**known._asdict(), "instances": dict(known.instances)})
    if target.other_roles:
        parts["other_roles"] = _line(dict(sorted(target.other_roles.items())))
    parts["format"] = _line(FORMAT)
    parts["addresses"] = _line(target.addresses)
    parts["inputs"] = _block("{}", (_entry(k, target.inputs[k]) for k in sorted(target.inputs)))
    parts["instances"] = _block(
        "{}",
        (_entry(name, target.instances[name]._asdict()) for name in sorted(target.instances)),
    )
    parts["releases"] = _block(
        "{}", (_entry(n, target.releases[n]._asdict()) for n in sorted(target.releases))
    )
    in_order = sorted(target.resources.values(), key=lambda r: (r.instance, r.id))
    parts["resources"] = _block("[]", (_line(_resource_data(r)) for r in in_order))
    return _document(parts)


def decode(content: bytes) -> Target:
    """The target that `content` describes, with the digest of these bytes.

    Raises `Refused` that names the first place where the manifest is not what `encode` writes.
    """
    try:
        data = _parse(content)
        instances = {
            name: _instance(name, raw) for name, raw in _typed(data, "instances", dict).items()
        }
        known = {"", *instances}
        resources: dict[str, Resource] = {}
        for raw in _typed(data, "resources", list):
            resource = _resource(raw)
            if resources.setdefault(resource.id, resource) is not resource:
                raise _Malformed(f"{resource.id} is there twice")
            if resource.instance not in known:
                raise _Malformed(f"{resource.id} belongs to an unknown instance")
        inputs = _typed(data, "inputs", dict)
        _all_text("inputs", inputs.values())
        return Target(
            host=_typed(data, "host", str),
            fleet=_typed(data, "fleet", str),
            services=_typed(data, "services", str),
            affinity=_typed(data, "affinity", str),
            downgrades=_typed(data, "downgrades", str),
            artefacts=_typed(data, "artefacts", str),
            releases={n: _release(n, raw) for n, raw in _typed(data, "releases", dict).items()},
            stop_timeout_s=_typed(data, "stop_timeout_s", int),
            start_timeout_s=_typed(data, "start_timeout_s", int),
            deletion_budget=_typed(data, "deletion_budget", int),
            addresses=_all_text("addresses", _typed(data, "addresses", list)),
            instances=instances,
            resources=resources,
            inputs=inputs,
            digest=digest_of(content),
            program=_typed({"program": "", **data}, "program", str),
            network=_typed({"network": "", **data}, "network", str),
            guards=_guards(data["guards"]) if "guards" in data else NO_GUARDS,
            rules=_from("rules", rules_from, data["rules"]) if "rules" in data else NO_RULES,
            sinks=_from("sinks", sinks_from, data["sinks"]) if "sinks" in data else NO_SINKS,
            maintenance=_from("maintenance", maintenance_from, data["maintenance"])
            if "maintenance" in data
            else NO_MAINTENANCE,
            other_roles=_texts(data, "other_roles"),
        )
    except _Malformed as error:
        _refuse(MANIFEST, str(error))


def _texts(data: Mapping[str, Any], key: str) -> Mapping[str, Digest]:
    """Texts by name; none where the key is left out."""
    found = _typed({key: {}, **data}, key, dict)
    _all_text(key, found.values())
    return found


def encode_fields(fields: Iterable[Field]) -> bytes:
    """`settings/<instance>.json`: the declared elements of one pbx.xml, in the order given."""
    lines = (_line(field._asdict()) for field in fields)
    return _document({"format": _line(FORMAT), "fields": _block("[]", lines)})


def decode_fields(content: bytes) -> tuple[Field, ...]:
    """The elements that `content` declares. Raises `Refused` where it is not what is written."""
    try:
        fields = tuple(_field(raw) for raw in _typed(_parse(content), "fields", list))
        if len({field.name for field in fields}) != len(fields):
            raise _Malformed("an element is there twice")
        return fields
    except _Malformed as error:
        _refuse("the file of declared settings", str(error))


def fields_digest(fields: Iterable[Field]) -> Digest:
    """Digest of what is declared: names, values and ownership, not where and why."""
    return digest_of_data(
        sorted([f.name, f.value, f.secret, f.ownership] for f in fields)  # names are unique
    )


def _resource_data(resource: Resource) -> Mapping[str, object]:
    mode = None if resource.mode is None else f"{resource.mode:04o}"
    return {**resource._asdict(), "mode": mode}


def _line(value: object) -> str:
    return _encoder().encode(value)


@cache
def _encoder() -> JSONEncoder:
    """One for all lines: `json.dumps` makes a new one for each."""
    from json import JSONEncoder

    return JSONEncoder(sort_keys=True)


def _entry(key: str, value: object) -> str:
    return f"{_line(key)}: {_line(value)}"


def _block(brackets: str, lines: Iterable[str]) -> str:
    body = ",\n".join(lines)
    return f"{brackets[0]}\n{body}\n{brackets[1]}" if body else brackets


def _document(parts: Mapping[str, str]) -> bytes:
    body = ",\n".join(f'"{key}": {parts[key]}' for key in sorted(parts))
    return f"{{\n{body}\n}}\n".encode("ascii")


def _parse(content: bytes) -> Mapping[str, Any]:
    import json

    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"it is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise _Malformed("it is not a JSON object")
    if type(data.get("format")) is not int or data["format"] != FORMAT:
        raise _Malformed(f"its format is {data.get('format')!r}; this program reads {FORMAT}")
    return data


def _resource(raw: Any) -> Resource:
    try:
        id_, kind, path, instance, mode, owner, digest, impact, source, fields, origin = (
            _resource_values(raw)
        )
        bits = None if mode is None else int(mode, 8)
        places = tuple(origin)
        values = (
            id_,
            _KINDS[kind],
            path,
            instance,
            bits,
            owner,
            digest,
            _IMPACTS[impact],
            source,
            fields,
            places,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _Malformed(f"{_called(raw, 'id')}: {_said(error)}") from error
    if not (
        type(id_) is type(instance) is type(owner) is type(digest) is type(source) is str
        and type(origin) is list
        and (fields is None or type(fields) is str)
        and (bits is None or 0 <= bits <= 0o7777)
    ):
        raise _Malformed(f"{_called(raw, 'id')}: a value has the wrong type")
    _check_path(id_, path)
    if kind != "service" and id_ != f"{kind}:{path}":
        raise _Malformed(f"{id_}: the id does not fit kind {kind} and path {path}")
    return _new(Resource, values)


def _instance(name: str, raw: Any) -> InstanceTarget:
    try:
        found = InstanceTarget._make(_instance_values(raw))
        listeners = tuple([_listener(entry) for entry in found.listeners])
        addresses = _all_text("addresses", found.addresses)
        api = None if found.api is None else _login(found.api)
        probes = probes_from(found.probes)
        rtp = None if found.rtp is None else (found.rtp[0] + 0, found.rtp[1] + 0)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _Malformed(f"instance {name}: {_said(error)}") from error
    if not (
        found.name == name
        and type(found.service) is type(found.executable_digest) is type(found.origin) is str
        and type(found.release) is str
        and (found.cpu is None or type(found.cpu) is int)
        and (found.rtp_address is None or type(found.rtp_address) is str)
        and (found.peer is None or type(found.peer) is str)
    ):
        raise _Malformed(f"instance {name}: a value has the wrong type")
    paths = (found.directory, found.executable, found.pid_file)
    for path in paths if api is None else (*paths, api.password_file):
        _check_path(name, path)
    return found._replace(listeners=listeners, addresses=addresses, rtp=rtp, api=api, probes=probes)


def _release(name: str, raw: Any) -> ReleaseTarget:
    try:
        found = ReleaseTarget._make(_release_values(raw))
    except (KeyError, TypeError) as error:
        raise _Malformed(f"release {name}: {_said(error)}") from error
    _all_text(f"release {name}", found)
    return found


def _guards(raw: Any) -> Guards:
    try:
        found = Guards._make(
            _guard_values({"generations": GENERATIONS, **raw})
        )  # later than others
        Removed(found.removed_directory)
    except (KeyError, TypeError, ValueError) as error:
        raise _Malformed(f"guards: {_said(error)}") from error
    _all_text("guards", (found.node_name, found.machine_id))
    if type(found.may_be_empty) is not bool:
        raise _Malformed("guards: may_be_empty is neither true nor false")
    if type(found.generations) is not int or found.generations < 1:
        raise _Malformed("guards: generations is not a number of them")
    _check_path("guards", found.archives)
    return found


def _from(key: str, read: Callable[[Any], T], raw: Any) -> T:
    try:
        return read(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise _Malformed(f"{key}: {_said(error)}") from error


def _login(raw: Any) -> Login:
    user, password_file = _all_text("api", raw)
    return Login(user, HostPath(password_file))


def _listener(raw: Any) -> ExpectedListener:
    protocol, address, port, role = raw
    if protocol not in PROTOCOLS or type(port) is not int or not type(address) is type(role) is str:
        raise ValueError(f"{raw!r} is not a listener")
    return ExpectedListener(protocol, address, port, role)


def _field(raw: Any) -> Field:
    try:
        name, value, secret, ownership, impact, label, origin, overrode = _field_values(raw)
        places = _all_text("overrode", overrode)
        field = Field(name, value, secret, ownership, _IMPACTS[impact], label, origin, places)
    except (KeyError, TypeError) as error:
        raise _Malformed(f"{_called(raw, 'name')}: {_said(error)}") from error
    if not (
        type(name) is type(ownership) is type(label) is type(origin) is str
        and (value is None or type(value) is str)
        and (secret is None or type(secret) is str)
    ):
        raise _Malformed(f"{_called(raw, 'name')}: a value has the wrong type")
    return field


def _check_path(what: object, path: object) -> None:
    """A path that is not normalised could lead out of the root folder that apply was given."""
    if (
        type(path) is not str
        or path[:1] != "/"
        or "//" in path
        or not path.isprintable()
        or ("/." in path and not {".", ".."}.isdisjoint(path.split("/")))
    ):
        raise _Malformed(f"{what}: {path!r} is not a normalised absolute path")


def _typed(data: Mapping[str, Any], key: str, kind: type[T]) -> T:
    value = data.get(key)
    if type(value) is not kind:
        raise _Malformed(f"{key} is missing or is not of type {kind.__name__}")
    return value


def _all_text(key: str, values: Iterable[Any]) -> tuple[str, ...]:
    texts = tuple(values)
    for text in texts:
        if type(text) is not str:
            raise _Malformed(f"{key}: a value is not text")
    return texts


def _called(raw: Any, key: str) -> str:
    """The entry in a message: by its name if it has one, else as it stands, shortened."""
    name = raw.get(key) if isinstance(raw, dict) else None
    return name if isinstance(name, str) else repr(raw)[:60]


def _said(error: Exception) -> str:
    return f"{error.args[0]!r} is missing or not known" if type(error) is KeyError else str(error)


def _refuse(document: str, problem: str) -> NoReturn:
    raise Refused(
        f"{document} cannot be used: {problem}",
        hint="run `pbxfleet compile` again, or restore the rendered files from the repository",
        code="PLN150",
    )
