"""What the fleet makes of diagnostics: other severities, and those that it accepts for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from pbxfleet.core.codes import SUPPRESSIBLE_ERRORS
from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order, nearest
from pbxfleet.core.span import Span
from pbxfleet.model.judged import Judged, Scope, Suppressed
from pbxfleet.model.plans import AcknowledgedHere, IgnoredHere, Judging, Suppression
from pbxfleet.model.policy import ACKNOWLEDGED, EXPIRED, OF_INSTANCE, UNFIT

OWN_FAMILY = "SUP"


def judge(
    found: Iterable[Diagnostic],
    judging: Judging,
    scope: Scope,
    known: Collection[str],
    today: str,
) -> Judged:
    """Apply severities and suppressions; `today` is YYYY-MM-DD, `known` are all codes there are.

    A diagnostic about several instances is accepted if each of them is covered by a suppression.
    Reports SUP101 (an error that stays one), SUP102 (no such code), SUP103 (expired), SUP104 (matches
    nothing), SUP105 (no such place), and of acknowledgements POL103 (fits no rule) and POL104 (expired).
    These themselves cannot be suppressed.
    """
    bench = _Bench(judging, scope, today)
    kept = [d for d in map(bench.hear, found) if d is not None]
    return Judged(in_order([*kept, *bench.remarks(known)]), tuple(bench.suppressed))


@dataclass
class _Bench:
    """What was heard so far."""

    judging: Judging
    scope: Scope
    today: str
    suppressed: list[Suppressed] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    stayed: set[str] = field(default_factory=set)

    def hear(self, diagnostic: Diagnostic) -> Diagnostic | None:
        """The diagnostic with its severity, None if it is accepted."""
        if diagnostic.code.startswith(OWN_FAMILY):
            return diagnostic
        fixed = diagnostic.severity is Severity.ERROR
        fixed = fixed and diagnostic.code not in SUPPRESSIBLE_ERRORS
        by = self._accepted_by(diagnostic)
        if by and fixed:
            self.stayed.add(diagnostic.code)
        elif by is not None:
            self.suppressed.append(Suppressed(diagnostic, by))
            return None
        wish = self.judging.severities.get(diagnostic.code)
        if wish is None or wish.value is diagnostic.severity:
            return diagnostic
        if fixed:
            self.stayed.add(diagnostic.code)
            return diagnostic
        return replace(diagnostic, severity=wish.value)

    def _accepted_by(self, diagnostic: Diagnostic) -> Suppression | None:
        """The first suppression that covers it, if together they cover everything it is about."""
        mine = [
            (number, one)
            for number, one in enumerate(self.judging.suppressions)
            if one.code.value == diagnostic.code and one.until.value >= self.today
        ]
        if not mine:
            return None
        left = set(self.scope_of(diagnostic)) or {""}
        first: Suppression | None = None
        for number, one in mine:
            covered = {subject for subject in left if _covers(one, subject)}
            if covered:
                self.used.add(number)
                first = first or one
                left -= covered
        return None if left else first

    def scope_of(self, diagnostic: Diagnostic) -> Iterator[str]:
        """What it is about: hosts, or `host/instance`; nothing if it is about the whole fleet."""
        files, hosts = self.scope.files, self.scope.hosts
        own = files.get(diagnostic.span.file, "") if diagnostic.span is not None else ""
        about = [f"{hosts[name]}/{name}" for name in diagnostic.about if name in hosts]
        if about or own:
            yield from about or [own]
            return
        yield from dict.fromkeys(
            files[span.file] for span, _ in diagnostic.related if span.file in files
        )

    def remarks(self, known: Collection[str]) -> Iterator[Diagnostic]:
        """What is to be said about the severities and suppressions themselves."""
        for code, wish in self.judging.severities.items():
            if code not in known:
                yield _unknown(code, known, wish.origin)
            elif code in self.stayed and wish.value is not Severity.ERROR:
                yield _stays(code, wish.origin)
        for number, one in enumerate(self.judging.suppressions):
            remark = self._remark(number, one, known)
            if remark is not None:
                yield remark
        yield from self._of_acknowledgements()
        for rule in self.judging.ignored:
            if rule.expires.value < self.today:
                yield _counts_again(rule)

    def _of_acknowledgements(self) -> Iterator[Diagnostic]:
        for one in self.judging.acknowledgements:
            if one.code.value not in ACKNOWLEDGED:
                yield _not_a_rule(one)
            elif ("/" in one.what.value) is not (one.code.value in OF_INSTANCE):
                yield _unfit(one)
            elif one.expires.value < self.today:
                yield _run_out(one)

    def _remark(self, number: int, one: Suppression, known: Collection[str]) -> Diagnostic | None:
        code = one.code.value
        if code not in known:
            return _unknown(code, known, one.code.origin)
        if one.until.value < self.today:
            return _expired(one)
        if one.where is not None and not self._is_place(one.where.value):
            return _nowhere(one) if self.scope.is_whole else None
        if number not in self.used:
            return _idle(one) if self.scope.is_whole else None
        return _stays(code, one.code.origin) if code in self.stayed else None

    def _is_place(self, where: str) -> bool:
        host, _, name = where.partition("/")
        return self.scope.hosts.get(name) == host if name else where in self.scope.files.values()


def _covers(one: Suppression, subject: str) -> bool:
    where = "" if one.where is None else one.where.value
    return not where or subject == where or subject.startswith(f"{where}/")


def _unknown(code: str, known: Collection[str], place: Span) -> Diagnostic:
    message = f"no diagnostic has the code {code}"
    close = nearest(code, known)
    hint = f'did you mean "{close}"?' if close else "pbxfleet explain lists all codes"
    return Diagnostic("SUP102", message, place, Severity.WARNING, hint=hint)


def _stays(code: str, place: Span) -> Diagnostic:
    return Diagnostic(
        "SUP101",
        f"{code} is an error that guards against an outage, and stays one",
        place,
        hint=f"remove this, and mend what {code} says",
    )


def _expired(one: Suppression) -> Diagnostic:
    return Diagnostic(
        "SUP103",
        f"{one.code.value} was accepted until {one.until.value}, and is not any more",
        one.until.origin,
        Severity.WARNING,
        hint=f"mend it, or look at the reason again and set a new day: {one.reason}",
    )


def _idle(one: Suppression) -> Diagnostic:
    where = "" if one.where is None else f" for {one.where.value}"
    return Diagnostic(
        "SUP104",
        f"nothing reports {one.code.value}{where}: there is nothing to accept",
        one.code.origin,
        Severity.ADVICE,
        hint="remove it, so that it does not hide the next one",
    )


def _nowhere(one: Suppression) -> Diagnostic:
    assert one.where is not None
    return Diagnostic(
        "SUP105",
        f'there is no host or instance "{one.where.value}"',
        one.where.origin,
        Severity.WARNING,
        hint='write the name of a host, or "host/instance" with the host that the instance is on',
    )


def _counts_again(rule: IgnoredHere) -> Diagnostic:
    return Diagnostic(
        "IGN102",
        f'"{rule.pattern.value}" was ignored until {rule.expires.value}, and counts again',
        rule.expires.origin,
        Severity.WARNING,
        hint=f"settle it, or look at the reason again and set a new day: {rule.reason}",
    )


def _not_a_rule(one: AcknowledgedHere) -> Diagnostic:
    return Diagnostic(
        UNFIT,
        f"{one.code.value} is not a rule that can be acknowledged",
        one.code.origin,
        hint=f"those that can: {', '.join(ACKNOWLEDGED)}; diagnostics are accepted with [[suppress]]",
    )


def _unfit(one: AcknowledgedHere) -> Diagnostic:
    wanted = 'an instance: "host/instance"' if one.code.value in OF_INSTANCE else "a host"
    return Diagnostic(
        UNFIT, f"{one.code.value} is acknowledged for {wanted}", one.what.origin, hint="write that"
    )


def _run_out(one: AcknowledgedHere) -> Diagnostic:
    return Diagnostic(
        EXPIRED,
        f"{one.code.value} was acknowledged for {one.what.value} until {one.expires.value}",
        one.expires.origin,
        Severity.WARNING,
        hint=f"remove it, or set a new day if it is still to be applied: {one.reason}",
    )
