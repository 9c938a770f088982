"""Where does a value come from? Every layer that had a say, with the commit that wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pbxfleet.app.contents import RenderedTree
from pbxfleet.app.freshness import stale_inputs
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import absolute, folder_names
from pbxfleet.model.target import Field
from pbxfleet.vcs.blame import Blame, History


class Layer(NamedTuple):
    """One place that gives the value: `wins` for the nearest, the others were overridden."""

    place: str
    wins: bool
    blame: Blame | None


class Explained(NamedTuple):
    """A setting with everything that is known about its origin, as it was compiled.

    `stale` are the files of desired/ that have changed since, so that their lines may say otherwise.
    """

    host: str
    instance: str
    field: Field
    layers: tuple[Layer, ...]
    stale: tuple[str, ...] = ()


def explain_setting(repository: str, what: str) -> Explained:
    """Explain `HOST/INSTANCE/SETTING`; Refused with the nearest known name if there is no such thing."""
    repository = absolute(repository)
    host, instance, setting = _parts(what)
    _known(host, folder_names(f"{repository}/rendered"), "a compiled host")
    tree = RenderedTree(repository, host)
    target = tree.target()
    stale = stale_inputs(repository, target.inputs)
    _known(instance, target.instances, f"an instance of {host}", stale)
    fields = {f.name: f for f in tree.fields(instance)}
    by_label = {f.label: f for f in fields.values()}
    field = fields.get(setting) or by_label.get(setting)
    if field is None:
        _known(setting, [*fields, *by_label], f"declared for {instance}", stale)
        raise AssertionError(setting)
    history = History(repository)
    layers = layers_of(history, (field.origin, *field.overrode))
    return Explained(host, instance, field, layers, stale)


def layers_of(history: History, places: Iterable[str]) -> tuple[Layer, ...]:
    """The layers at these places, nearest first, each with the commit that wrote its line."""
    return tuple(
        Layer(place, number == 0, blamed(history, place)) for number, place in enumerate(places)
    )


def _parts(what: str) -> tuple[str, str, str]:
    parts = what.split("/")
    if len(parts) != 3 or not all(parts) or any(p.startswith(".") for p in parts):
        raise Refused(
            f"{what!r} cannot be explained",
            hint="give a diagnostic code, or HOST/INSTANCE/SETTING such as fra1/acme/sys_name",
        )
    return parts[0], parts[1], parts[2]


def _known(name: str, known: Iterable[str], what: str, stale: Sequence[str] = ()) -> None:
    if name not in known:
        hint = f"{_few(stale)} changed since it was compiled: run pbxfleet compile" if stale else ""
        raise Refused(f"{name} is not {what}", hint=hint or did_you_mean(name, known))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def blamed(history: History, place: str) -> Blame | None:
    """The commit that wrote the line of a place, None where it is not committed."""
    file, _, rest = place.partition(":")
    line = rest.partition(":")[0]
    return history.blame(file, int(line)) if line.isdecimal() else None


def explained_text(found: Explained) -> str:
    """The explanation for people."""
    field = found.field
    value = "removed (unset)" if field.value is None else repr(field.value)
    if field.secret is not None:
        value = f"the secret {field.secret}"
    lines = [
        f"{found.host}/{found.instance}: {field.name} = {value}",
        f"  declared as  {field.label}, {field.ownership}; a change of it costs: {field.impact}",
    ]
    for layer in found.layers:
        word = "from" if layer.wins else "overrides"
        lines.append(f"  {word:<11}  {layer.place}{written_text(layer.blame)}")
    if found.stale:
        lines.append(f"  as compiled; changed since: {_few(found.stale)} (run pbxfleet compile)")
    return "\n".join(lines) + "\n"


def written_text(blame: Blame | None) -> str:
    """The commit behind a place, for people."""
    if blame is None:
        return "   (not committed)"
    return f"   {blame.commit} {blame.date} {blame.author}: {blame.subject}"


def explained_data(found: Explained) -> dict[str, Any]:
    """The explanation as plain data."""
    field = found.field._asdict()
    return {
        "host": found.host,
        "instance": found.instance,
        **{k: str(v) if k == "impact" else v for k, v in field.items()},
        "layers": [
            {
                "place": layer.place,
                "wins": layer.wins,
                "blame": layer.blame._asdict() if layer.blame else None,
            }
            for layer in found.layers
        ],
        "stale": list(found.stale),
    }
