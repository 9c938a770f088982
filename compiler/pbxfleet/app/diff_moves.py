"""Instances that go on under another name, or on another host: the ledger tells, or their name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pbxfleet.model.plan import Verb
from pbxfleet.model.resolved import Ledger
from pbxfleet.model.revisions import Effect

Key = tuple[str, str]  # host and instance


def with_moves(effects: Iterable[Effect], before: Ledger, after: Ledger) -> list[Effect]:
    """The same effects; a new instance is one that was moved where a removed one had its name on another
    host, or held on this host all that it holds now.
    """
    effects = list(effects)
    gone = {(e.host, e.instance): e for e in effects if e.instance and e.action is Verb.REMOVE}
    sources: dict[Key, Key] = {}
    for effect in effects:
        if effect.instance and effect.action is Verb.CREATE:
            source = _came_from(effect, gone.keys() - sources.values(), before, after)
            if source is not None:
                sources[effect.host, effect.instance] = source
    goals = {source: goal for goal, source in sources.items()}
    return [_told(effect, sources, goals) for effect in effects]


def _told(effect: Effect, sources: Mapping[Key, Key], goals: Mapping[Key, Key]) -> Effect:
    key = (effect.host, effect.instance)
    if key in sources:
        return effect._replace(action=Verb.MOVE, was=_relative(sources[key], effect.host))
    if key in goals:
        goal = _relative(goals[key], effect.host)
        return effect._replace(reason=f"{effect.reason}; it goes on as {goal}")
    return effect


def _relative(key: Key, host: str) -> str:
    return key[1] if key[0] == host else f"{key[0]}/{key[1]}"


def _came_from(
    effect: Effect, gone: Iterable[tuple[str, str]], before: Ledger, after: Ledger
) -> tuple[str, str] | None:
    held = after.allocations.get(effect.instance)
    for host, name in sorted(gone):
        if name == effect.instance:
            return host, name
        had = before.allocations.get(name)
        passed_on = had is not None and had == held and bool(had.things)
        if (
            passed_on
            and host == effect.host
            and name not in {*after.allocations, *after.tombstones}
        ):
            return host, name
    return None
