"""Files that the PBX is told to write outside its working directory."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.paths import HostPath, is_inside
from pbxfleet.model.desired import Sourced
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance, ResolvedSetting
from pbxfleet.pbx.file_targets import LOG_NAME, file_targets
from pbxfleet.resolve.problems import Problems


def log_file(instance: ResolvedInstance) -> Sourced[str] | None:
    """The log file of an instance where it is declared with its whole path.

    A name without a path means a file of the working directory, which no other instance has.
    """
    for setting in instance.settings:
        if setting.name == LOG_NAME:
            for path in file_targets(setting.name, setting.value):
                return Sourced(str(path), setting.origin)
    return None


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """DIR108 (advice) a declared file outside the working directory, which no backup list has.

    A declared value counts if it is an absolute path, or a CDR target of the form `file:/...`
    (https://doc.vodia.com/docs/cdrstats-connecting-pbx). A log need not be backed up.
    """
    problems = Problems()
    for instance in host.instances:
        for setting in instance.settings:
            if setting.name == LOG_NAME or not setting.label.startswith("settings."):
                continue
            for path in file_targets(setting.name, setting.value):
                if not is_inside(path, instance.paths.directory):
                    diagnostic = _outside(setting, path)
                    problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _outside(setting: ResolvedSetting, path: HostPath) -> Diagnostic:
    return Diagnostic(
        "DIR108",
        f'"{setting.name}" makes the PBX write {path}, outside its working directory',
        setting.origin,
        Severity.ADVICE,
        hint="it is in no backup list: name a file of the working directory, or back it up yourself",
    )
