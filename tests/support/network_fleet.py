"""Fleets laid over the small one, compiled up to the files of a host."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.pbx.reference import read_reference
from pbxfleet.render.compile import Rendered, compile_host
from pbxfleet.resolve import resolve_and_check
from pbxfleet.schema import read_ledger, validate
from pbxfleet.source.load import load
from support.pages import laid_over
from support.resolved import INPUTS

HOST = """\
address = "203.0.113.2"
reserve_address = true
addresses = ["203.0.113.10-203.0.113.19", "2001:db8:1::10-2001:db8:1::19"]
rtp = "49152-64511"
"""


def resolved_host(files: Mapping[str, str]) -> ResolvedHost:
    """Host fra1 of the small fleet with these files laid over it; there must be no error."""
    laid = laid_over({name: text.encode() for name, text in files.items()})
    documents = {}
    for name, content in laid.items():
        if name.endswith((".toml", ".yaml")):
            loaded = load(name, content)
            assert loaded.value is not None, loaded.diagnostics
            documents[name] = loaded.value
    ledger = read_ledger(documents.pop("desired/ledger.toml", None))
    desired = validate(documents).outcome
    assert desired.value is not None and ledger.value is not None, desired.diagnostics
    read = read_reference("desired/reference/pbx.xml", laid["desired/reference/pbx.xml"])
    assert read.value is not None
    resolution = resolve_and_check(desired.value, {"70.5": read.value}, ledger.value)
    assert resolution.outcome.value is not None, resolution.outcome.diagnostics
    return resolution.outcome.value.hosts[0]


def compiled(host: ResolvedHost) -> Rendered:
    """The compiled host; its reference file is that of the small fleet."""
    laid = laid_over({})
    read = read_reference("desired/reference/pbx.xml", laid["desired/reference/pbx.xml"])
    assert read.value is not None
    templates = {"desired/failover.conf": laid["desired/failover.conf"]}
    outcome = compile_host(host, "example", 1, {"70.5": read.value}, templates, INPUTS)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


FOLDERS = (
    "root/etc/systemd/network/",
    "root/etc/systemd/system/pbxfleet-",
    "root/etc/systemd/system/multi-user.target.d/",
    "root/etc/netplan/",
    "root/etc/NetworkManager/",
    "root/etc/sysconfig/network-scripts/",
    "root/etc/pbxfleet/",
)


def network_files(files: Mapping[str, str]) -> dict[str, bytes]:
    """What is rendered of the network of host fra1: path on the host to content."""
    rendered = compiled(resolved_host(files)).files
    return {
        name.removeprefix("root"): content
        for name, content in rendered.items()
        if name.startswith(FOLDERS) or name.endswith("/50-pbxfleet-source.conf")
    }
