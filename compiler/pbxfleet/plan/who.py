"""Who made a difference, as far as there is evidence: one table of rules, and nothing is guessed.

The first rule that has evidence names the author; where none has, nobody is named. A file that changed
outside the directories of the PBX may be the work of a person, of another program, or of a package:
its owner and time are told, and no more. What a failover of the product leaves on the host no public
document describes; only a failover file that says the other role can be recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pbxfleet.model.drift import UNKNOWN, DriftItem
from pbxfleet.model.evidence import Evidence
from pbxfleet.model.runtime import setting_key, unproven_key
from pbxfleet.model.target import Kind
from pbxfleet.plan.drift import RELEASE

HALF_APPLIED = "half-applied run"
PBX = "pbx"
WEB = "web administration"
PERSON = "person"
FAILOVER = "failover event"
OLDER = "older pbxfleet"
CONTENT = "content"
# Signals by which a program ends through a fault of its own: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV.
FAULTS = (4, 6, 7, 8, 11)
# Numbers of accounts that people log in with (login.defs(5), UID_MIN and UID_MAX).
LOGIN_ACCOUNTS = range(1000, 60001)


class Rule(NamedTuple):
    """`evidence` gives the sentence that shows it was `who`, "" where nothing shows it."""

    who: str
    why: str
    evidence: Callable[[DriftItem, Evidence], str]


def _half_applied(item: DriftItem, known: Evidence) -> str:
    return known.run if item.resource in known.unfinished else ""


def _kept_by_pbx(item: DriftItem, known: Evidence) -> str:
    key = unproven_key(item.name, item.observed)
    if item.resource.startswith(f"{Kind.SETTINGS}:"):
        key = setting_key(item.name, item.observed)
    if key not in known.unproven.get(item.instance, ()):
        return ""
    return "it was so right after pbxfleet started the instance as declared"


def _updated_itself(item: DriftItem, known: Evidence) -> str:
    if item.name != RELEASE or item.instance not in known.updated:
        return ""
    return "its running process says that an update of its own has finished with success"


def _in_changes_log(item: DriftItem, known: Evidence) -> str:
    if not item.resource.startswith(f"{Kind.SETTINGS}:"):
        return ""
    return known.logged.get((item.instance, item.name), "")


def _login_account(item: DriftItem, known: Evidence) -> str:
    trace = known.files.get(item.resource)
    if trace is None or trace.uid not in LOGIN_ACCOUNTS or trace.uid in known.services:
        return ""
    return f"the file belongs to {trace.account}, a login account, and was written {trace.written}"


def _login_session(item: DriftItem, known: Evidence) -> str:
    trace = known.processes.get((item.instance, item.name))
    if trace is None:
        return ""
    if trace.login is not None:
        return f"process {trace.pid} was started in a login session of {trace.account}"
    return f"process {trace.pid} runs on a terminal" if trace.has_terminal else ""


def _left_by_editor(item: DriftItem, known: Evidence) -> str:
    trace = known.files.get(item.resource)
    if trace is None or not trace.editor or item.kind not in ("changed", "extra"):
        return ""
    return f"an editor has left {trace.editor} beside the file, which was written {trace.written}"


def _other_role(item: DriftItem, known: Evidence) -> str:
    if item.name != CONTENT or item.resource not in known.other_role:
        return ""
    return "the failover file is what its template gives for the other role"


def _older_pbxfleet(item: DriftItem, known: Evidence) -> str:
    before = known.earlier.get(item.resource)
    if item.name != CONTENT or before is None or not before.version or not before.same_inputs:
        return ""
    if before.version == before.now:
        return ""
    return (
        f"the file is what pbxfleet {before.version} wrote in generation {before.number} from the same "
        f"desired files; {before.now or 'another version'} has applied since"
    )


def _ended_by_itself(item: DriftItem, known: Evidence) -> str:
    ending = known.endings.get(item.instance)
    if item.name != "running" or ending is None or not ending.status:
        return ""
    if ending.killed and ending.status not in FAULTS:
        return ""
    how = f"was ended by a fault (signal {ending.status})" if ending.killed else ""
    return f"systemd says that its process {how or f'exited with {ending.status}'} at {ending.at}"


RULES = (
    Rule(HALF_APPLIED, "the journal of an unfinished run names the resource", _half_applied),
    Rule(PBX, "it was so right after our own last start (record of the proof)", _kept_by_pbx),
    Rule(PBX, "GET /rest/system/swupdate says finished and success", _updated_itself),
    Rule(FAILOVER, "the failover file is what its template gives for the other role", _other_role),
    Rule(OLDER, "an earlier version wrote it so from the same desired files", _older_pbxfleet),
    Rule(PBX, "systemd says that it ended by itself or by a fault of its own", _ended_by_itself),
    Rule(WEB, "the changes log names the setting, after the last apply", _in_changes_log),
    Rule(PERSON, "the file belongs to a login account no instance runs as", _login_account),
    Rule(PERSON, "an editor left a file beside it at the same moment", _left_by_editor),
    Rule(PERSON, "the process has a login session (loginuid) or a terminal", _login_session),
)


def attributed(items: Iterable[DriftItem], known: Evidence) -> tuple[DriftItem, ...]:
    """The items with `who` and the evidence for it, in the same order."""
    return tuple(_attributed(item, known) for item in items)


def _attributed(item: DriftItem, known: Evidence) -> DriftItem:
    for rule in RULES:
        evidence = rule.evidence(item, known)
        if evidence:
            return item._replace(who=rule.who, evidence=evidence)
    return item._replace(who=UNKNOWN, evidence="; ".join(_circumstances(item, known)))


def _circumstances(item: DriftItem, known: Evidence) -> Iterator[str]:
    """What is known where nobody can be named."""
    ending, before = known.endings.get(item.instance), known.earlier.get(item.resource)
    if item.name == "running" and ending is not None:
        how = f"killed by signal {ending.status}" if ending.killed else "stopped on request"
        yield f"systemd says: {how} at {ending.at}"
    if item.name == CONTENT and before is not None:
        yield f"it is as generation {before.number} left it"
    trace = known.files.get(item.resource)
    if trace is not None and item.kind == "mode" and trace.changed:
        yield f"something about the file was changed {trace.changed}; it belongs to {trace.account}"
    elif trace is not None:
        yield f"the file was written {trace.written} and belongs to {trace.account}"
