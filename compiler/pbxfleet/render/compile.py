"""One host from resolved to rendered: its target, and every file of `rendered/<host>/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Outcome, in_order
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.model.manifest import MANIFEST, encode, encode_fields
from pbxfleet.model.resolved import Reference, ResolvedHost, ResolvedInstance
from pbxfleet.model.target import Kind, Resource, Target
from pbxfleet.render.declared import host_addresses, instance_target, release_targets
from pbxfleet.render.failover import (
    FailoverTemplate,
    failover_text,
    read_template,
    template_file,
    text_of_other_role,
)
from pbxfleet.render.resources import Piece, host_pieces, instance_pieces
from pbxfleet.render.services import BACKENDS
from pbxfleet.render.services.compose import used_compose
from pbxfleet.render.settings import compile_settings


class Rendered(NamedTuple):
    """A compiled host. `files` are paths below `rendered/<host>/`, manifest.json among them."""

    target: Target
    files: Mapping[str, bytes]


def compile_host(
    host: ResolvedHost,
    fleet_name: str,
    deletion_budget: int,
    references: Mapping[str, Reference],
    templates: Mapping[str, bytes],
    inputs: Mapping[str, Digest],
) -> Outcome[Rendered]:
    """The host's target and its rendered files: the same bytes for the same arguments, anywhere.

    `references` are by release, `templates` by name within the repository; both hold whatever the
    resolved host names. `inputs` are digests of the desired files that it depends on. Reports what
    a reference file cannot take (XML1xx), what is wrong with the failover template (FLO110 to
    FLO112), two files that would lie at one path (DIR120), and what the service manager cannot do.
    """
    found: list[Diagnostic] = []
    template = _template(host, templates, found)
    pieces: list[Piece] = []
    files: dict[str, bytes] = {}
    others: dict[str, Digest] = {}
    for instance in host.instances:
        settings = compile_settings(instance, references[instance.release.name])
        failover = _failover(template, fleet_name, host, instance)
        found += (*settings.diagnostics, *failover.diagnostics)
        others |= _other_role(template, fleet_name, host, instance, failover.value)
        found += BACKENDS[host.services].problems(instance)
        if settings.value is not None:
            pieces += instance_pieces(host, instance, settings.value, failover.value)
            files[f"settings/{instance.name}.json"] = encode_fields(settings.value.fields)
    pieces += host_pieces(host)
    found += _collisions(host, pieces)
    if found:  # everything that is reported here is an error
        return Outcome(None, in_order(_first_of_each(found)))
    files |= {p.resource.source: p.content for p in pieces if p.content is not None}
    tables = _key_tables(host, references)
    known = {name: digest_of(content) for name, content in tables.items()}
    target = _target(host, fleet_name, deletion_budget, pieces, inputs)
    releases = release_targets(host.releases, known)
    target = target._replace(releases=releases, other_roles=others)
    files |= {target.releases[name].settings_file: tables[name] for name in tables}
    files[MANIFEST] = encode(target)
    target = target._replace(digest=digest_of(files[MANIFEST]))
    return Outcome(Rendered(target, {name: files[name] for name in sorted(files)}))


def _key_tables(host: ResolvedHost, references: Mapping[str, Reference]) -> dict[str, bytes]:
    """Names of all settings that a release knows, by release: of those in use here that have a list."""
    tables = {i.release.name: references[i.release.name].known for i in host.instances}
    return {
        name: "".join(f"{key}\n" for key in sorted(table.names)).encode()
        for name, table in sorted(tables.items())
        if table is not None
    }


def _template(
    host: ResolvedHost, templates: Mapping[str, bytes], found: list[Diagnostic]
) -> FailoverTemplate | None:
    file = template_file(host)
    if file is None or not any(instance.failover for instance in host.instances):
        return None
    template = read_template(file, templates[file])
    found += template.diagnostics
    return template.value


def _failover(
    template: FailoverTemplate | None,
    fleet_name: str,
    host: ResolvedHost,
    instance: ResolvedInstance,
) -> Outcome[bytes]:
    """The failover file of an instance; nothing where it is no half of a pair or has no file."""
    if template is None or instance.failover is None or instance.paths.failover_file is None:
        return Outcome(None)
    return failover_text(template, fleet_name, host, instance, instance.failover)


def _other_role(
    template: FailoverTemplate | None,
    fleet_name: str,
    host: ResolvedHost,
    instance: ResolvedInstance,
    text: bytes | None,
) -> dict[str, Digest]:
    """The digest of the failover file that the other role would give, where it is another one."""
    path = instance.paths.failover_file
    if template is None or instance.failover is None or path is None or text is None:
        return {}
    other = text_of_other_role(template, fleet_name, host, instance, instance.failover)
    return {} if other in (None, text) else {path: digest_of(other or b"")}


def _target(
    host: ResolvedHost,
    fleet_name: str,
    deletion_budget: int,
    pieces: Iterable[Piece],
    inputs: Mapping[str, Digest],
) -> Target:
    """The target, still with the digest of nothing."""
    resources = sorted((piece.resource for piece in pieces), key=lambda r: (r.instance, r.id))
    return Target(
        host=host.name,
        fleet=fleet_name,
        services=host.services.value,
        affinity=host.affinity.value,
        stop_timeout_s=host.stop_timeout_s,
        deletion_budget=deletion_budget,
        addresses=host_addresses(host),
        instances={instance.name: instance_target(host, instance) for instance in host.instances},
        resources={resource.id: resource for resource in resources},
        inputs=inputs,
        digest=digest_of(b""),
        start_timeout_s=start.value if (start := host.file.start_timeout_s) else 60,
        downgrades=host.releases.downgrades.value,
        artefacts=host.releases.artefacts,
        program="" if (compose := used_compose(host)) is None else compose.program.value,
        network="" if compose is None else compose.network.value,
        guards=host.guards,
        rules=host.rules,
        sinks=host.sinks,
        maintenance=host.maintenance,
    )


def _collisions(host: ResolvedHost, pieces: Iterable[Piece]) -> Iterator[Diagnostic]:
    """Files at one path: the checks know the paths that people declare, not those made of them."""
    spans = {instance.name: instance.span for instance in host.instances}
    spans[""] = host.file.host_backup_list.origin
    taken: dict[str, Resource] = {}
    for resource in (piece.resource for piece in pieces):
        if resource.kind is Kind.SERVICE:
            continue
        first = taken.setdefault(resource.path, resource)
        if first is not resource:
            yield Diagnostic(
                "DIR120",
                f"two files of {host.name} would lie at {resource.path}",
                spans[resource.instance],
                related=((spans[first.instance], "the other one"),),
                hint="give one of them another name in the host's file",
            )


def _first_of_each(found: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """One diagnostic for a fault of a template, not one for each instance it is rendered for."""
    first: dict[tuple[str, str, object], Diagnostic] = {}
    for diagnostic in found:
        first.setdefault((diagnostic.code, diagnostic.message, diagnostic.span), diagnostic)
    return first.values()
