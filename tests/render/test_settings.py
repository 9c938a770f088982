"""The compiled pbx.xml: the reference with the declared elements set, and nothing else changed."""

from __future__ import annotations

import pytest

from pbxfleet.core.diagnostics import Outcome
from pbxfleet.model.desired import SecretRef
from pbxfleet.model.resolved import Reference
from pbxfleet.pbx.reference import read_reference
from pbxfleet.render.compile import Rendered, compile_host
from support.resolved import REFERENCE, Wish, host

FILE = "desired/reference/pbx-70.xml"
XML = "root/usr/local/pbx-acme/pbx.xml"


def compiled(content: bytes, settings: dict[str, str | SecretRef | None]) -> Outcome[Rendered]:
    found = read_reference(FILE, content).value
    assert found is not None
    resolved = host([Wish("acme", settings=settings)])
    return compile_host(resolved, "f", 1, {"70.5": found}, {}, {})


def text_of(content: bytes, settings: dict[str, str | SecretRef | None]) -> bytes:
    outcome = compiled(content, settings)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value.files[XML]


def test_only_declared_elements_change() -> None:
    expected = REFERENCE.replace(b"198.51.100.10:80", b"203.0.113.10:80")
    assert text_of(REFERENCE, {}) == expected
    assert text_of(REFERENCE, {"sys_name": "A & B", "email_global": None}) == expected.replace(
        b"First", b"A &amp; B"
    ).replace(b"  <email_global>cloud</email_global>\n", b"")


def test_a_secret_stays_as_the_reference_has_it() -> None:
    assert b'<pw_pass encrypted="true">5e884898</pw_pass>' in text_of(
        REFERENCE, {"pw_pass": SecretRef("acme/admin")}
    )
    added = text_of(REFERENCE, {"smtp_password": SecretRef("acme/mail")})
    assert b"smtp_password" not in added and b"acme/mail" not in added


@pytest.mark.parametrize(
    ("settings", "code", "line"),
    [
        ({"sys_name": "ok", "pw_pass": "clear"}, "XML107", 12),
        ({"sys_name": "a\x01b"}, "XML109", 11),
        ({"not a name": "1"}, "XML109", 11),
    ],
)
def test_what_the_file_cannot_take_points_at_the_declaration(
    settings: dict[str, str | SecretRef | None], code: str, line: int
) -> None:
    (found,) = compiled(REFERENCE, settings).diagnostics
    assert (found.code, str(found.span)) == (code, f"desired/instances/acme.toml:{line}:1")
    known = next(iter(settings)) == "sys_name"
    assert [span.file for span, _ in found.related] == ([FILE] if known else [])


def test_all_settings_that_cannot_be_taken_are_told_at_once() -> None:
    found = compiled(REFERENCE, {"sys_name": "\x01", "pw_pass": "clear"}).diagnostics
    assert [d.code for d in found] == ["XML109", "XML107"]


def test_a_reference_that_cannot_be_read_is_reported_as_such() -> None:
    # read_reference refuses such a file; nothing behind it may fall over it all the same.
    broken = {"70.5": Reference(FILE, b"<config><a></config>", {})}
    outcome = compile_host(host([Wish("acme")]), "f", 1, broken, {}, {})
    assert outcome.value is None
    assert {d.code for d in outcome.diagnostics} == {"XML101"}
