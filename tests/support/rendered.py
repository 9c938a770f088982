"""Golden hosts of tests/render/golden: a case.toml in, the rendered tree out."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pbxfleet.core.diagnostics import Outcome
from pbxfleet.core.paths import HostPath
from pbxfleet.model.backup import BackupProgram, BackupTarget, Consistency, HostBackup
from pbxfleet.model.desired import AffinityBy, SecretRef, ServiceBackend
from pbxfleet.render.compile import Rendered, compile_host
from support.resolved import INPUTS, Wish, host, reference, sourced

GOLDEN = Path(__file__).resolve().parents[1] / "render" / "golden"


def cases() -> list[str]:
    """Names of the golden hosts."""
    return sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())


def compile_case(name: str) -> Outcome[Rendered]:
    """What compile makes of a case; its failover template lies beside case.toml."""
    folder = GOLDEN / name
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    template = case.get("template")
    resolved = host(
        [_wish(entry) for entry in case["instance"]],
        ServiceBackend(case["services"]),
        affinity=AffinityBy(case.get("affinity", "unit")),
        stop_timeout_s=case.get("stop_timeout_s", 60),
        template=template,
        backup=_backup(case.get("backup", {})),
        network=case.get("network", "host"),
        hardening=case.get("hardening", True),
    )
    templates = {f"desired/{template}": (folder / template).read_bytes()} if template else {}
    return compile_host(resolved, "example-voice", 1, reference(), templates, INPUTS)


def _backup(table: dict[str, dict[str, object]]) -> HostBackup | None:
    if not table:
        return None
    targets = [
        BackupTarget(
            BackupProgram(program),
            sourced(str(entry["place"]), 30 + number),
            sourced(HostPath("/etc/pbx/backup.password"), 30),
            keep={str(k): v for k, v in entry.items() if isinstance(v, int)},
        )
        for number, (program, entry) in enumerate(sorted(table.items()))
    ]
    directory, live = sourced(HostPath("/etc/pbx/backup"), 29), sourced(Consistency.LIVE, 29)
    return HostBackup(directory, live, tuple(targets))


def _wish(entry: dict[str, object]) -> Wish:
    settings = entry.pop("settings", {})
    secrets = entry.pop("secrets", {})
    assert isinstance(settings, dict) and isinstance(secrets, dict)
    wanted = {
        # TOML has no null: false stands for an element that is to be removed.
        **{name: None if value is False else value for name, value in settings.items()},
        **{name: SecretRef(value) for name, value in secrets.items()},
    }
    tenants = entry.pop("tenants", [])
    assert isinstance(tenants, list)
    return Wish(**entry, tenants=tuple(tenants), settings=wanted)  # type: ignore[arg-type]
