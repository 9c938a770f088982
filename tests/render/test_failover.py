"""Failover files: the operator's text, and everything that can be wrong with a template."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import Diagnostic, Outcome
from pbxfleet.core.digest import digest_of
from pbxfleet.model.manifest import decode
from pbxfleet.render.compile import Rendered, compile_host
from pbxfleet.render.failover import DECLARED, NAMES
from support.resolved import Wish, host, reference

FILE = "desired/failover.conf.j2"


def compiled(template: bytes, *wishes: Wish) -> Outcome[Rendered]:
    resolved = host(wishes or [Wish("acme", peer="acme-dr")], template="failover.conf.j2")
    return compile_host(resolved, "example-voice", 1, reference(), {FILE: template}, {})


def text_of(template: bytes, *wishes: Wish) -> str:
    outcome = compiled(template, *wishes)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value.files["root/etc/pbx/failover-acme.conf"].decode()


def problem(template: bytes) -> Diagnostic:
    outcome = compiled(template)
    assert outcome.value is None
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.span is not None and diagnostic.span.file == FILE
    return diagnostic


def test_every_name_is_there() -> None:
    wish = Wish("acme", peer="acme-dr", number=7, tenants=("a.example.com",))
    template = "".join(f"{name}={{{{ {name} }}}}\n" for name in NAMES).encode()
    said = dict(line.split("=", 1) for line in text_of(template, wish).splitlines())
    assert said == {
        "action_url": "https://dns.example.net/switch",
        "address": "203.0.113.10",
        "addresses": "('203.0.113.10',)",
        "directory": "/usr/local/pbx-acme",
        "failures": "4",
        "fleet": "example-voice",
        "host": "fra1",
        "host_address": "203.0.113.2",
        "instance": "acme",
        "interval": "30",
        "number": "7",
        "peer": "acme-dr",
        "peer_address": "203.0.113.99",
        "peer_host": "fra2",
        "peer_url": "http://203.0.113.99:80",
        "role": "primary",
        "tenants": "('a.example.com',)",
        "validation_url": "https://example.net/",
    }


@pytest.mark.parametrize("name", DECLARED)
def test_what_no_layer_says_is_not_guessed(name: str) -> None:
    resolved = host([Wish("acme", peer="acme-dr")], template="failover.conf.j2")
    (acme,) = resolved.instances
    assert acme.failover is not None
    silent = replace(acme.failover, action_url=None, failures=None, interval_s=None)
    silent = replace(silent, validation_url=None)
    resolved = replace(resolved, instances=(replace(acme, failover=silent),))
    template = {FILE: f"{{{{ {name} }}}}".encode()}
    (found,) = compile_host(resolved, "example", 1, reference(), template, {}).diagnostics
    assert found.code == "FLO111"
    assert found.hint.startswith(f"no layer says failover.{name}")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (b"", ""),
        (b"no end of line", "no end of line"),
        (b"one\n\n\n", "one\n\n\n"),
        (b"\xef\xbb\xbfmark\r\nlines\r\n", "mark\nlines\n"),
        (b"<a href='{{ peer_url }}'>", "<a href='http://203.0.113.99:80'>"),
        (b"{% if role == 'primary' %}\nfirst\n{% endif %}\nend\n", "first\nend\n"),
        ("{# M\u00fcller #}\u00fc\n".encode(), "\u00fc\n"),
        (b"{{ addresses | join(' ') }}\t{{ instance | upper }}", "203.0.113.10\tACME"),
    ],
)
def test_the_text_is_the_operators(template: bytes, text: str) -> None:
    assert text_of(template) == text


@pytest.mark.parametrize(
    ("template", "other"),
    [
        (b"{{ role }} of {{ instance }}\n", b"secondary of acme\n"),
        (
            b"{% if role == 'secondary' %}poll {{ peer_url }}{% endif %}",
            b"poll http://203.0.113.99:80",
        ),
        (b"{{ instance }}\n", None),
        (b"{% if role == 'secondary' %}{{ 1 // 0 }}{% endif %}", None),
    ],
)
def test_what_the_other_role_would_give_is_known(template: bytes, other: bytes | None) -> None:
    outcome = compiled(template)
    assert outcome.value is not None, outcome.diagnostics
    found = outcome.value.target.other_roles
    path = "/etc/pbx/failover-acme.conf"
    assert found == ({} if other is None else {path: digest_of(other)})
    assert decode(outcome.value.files["manifest.json"]).other_roles == found


def test_instances_without_a_peer_have_no_file() -> None:
    outcome = compiled(b"x", Wish("acme", peer="acme-dr"), Wish("beta"))
    assert outcome.value is not None
    names = [name for name in outcome.value.files if "failover" in name]
    assert names == ["root/etc/pbx/failover-acme.conf"]
    resource = outcome.value.target.resources["file:/etc/pbx/failover-acme.conf"]
    assert (resource.mode, resource.impact, resource.instance) == (0o640, "restart", "acme")


@pytest.mark.parametrize(
    ("template", "code", "place", "message"),
    [
        (b"\n{{ instance", "FLO110", (2, 1), "template: unexpected end of template"),
        (
            b"{% if role %}\nx",
            "FLO110",
            (2, 1),
            "template: unexpected end of template. Jinja was looking",
        ),
        (b"a\n\n{{ x | nofilter }}", "FLO110", (3, 1), "template: no filter named 'nofilter'"),
        (b"a\nb \xff", "FLO110", (2, 1), "template: it is not UTF-8"),
        (b"{{ " + b"(" * 3000, "FLO110", (1, 1), "template: it is nested too deeply"),
        (b"a\n {{ peer_adress }}", "FLO111", (2, 5), 'template: "peer_adress" is not known here'),
        (b"{{ range(9) }}", "FLO111", (1, 4), 'template: "range" is not known here'),
        (b"a\n\n{{ role.colour }}", "FLO111", (3, 1), "has no attribute 'colour'"),
        (b"{{ 1 // 0 }}", "FLO111", (1, 1), "template: integer division or modulo by zero"),
        (b"a\n{% include 'x' %}", "FLO111", (2, 1), "template: no loader"),
        (b"\n{{ ''.__class__.__mro__ }}", "FLO111", (2, 1), "'__class__'"),
        (b"{{ [1] | random }}", "FLO110", (1, 1), "template: no filter named 'random'"),
        (b"\n{{ number }}", "FLO111", (2, 1), "'number' is undefined"),
        (b"a\nb\x00c", "FLO112", (2, 2), "a control character, U+0000, would stand in the file"),
        (b"a\n\x1b[31mred", "FLO112", (2, 1), "a control character, U+001B"),
        (b'{{ "\\x07" }}', "FLO112", (1, 1), "a control character, U+0007"),
        (b'{{ "x" * 2000000 }}', "FLO112", (1, 1), "it makes more than 1048576 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    template: bytes, code: str, place: tuple[int, int], message: str
) -> None:
    found = problem(template)
    assert found.span is not None
    assert (found.code, (found.span.line, found.span.column)) == (code, place)
    assert message in found.message and not found.message.endswith(".")


def test_a_typo_gets_its_hint_and_a_span() -> None:
    found = problem(b"{% if false %}{{ peer_adress }}{% endif %}")
    assert found.hint == 'did you mean "peer_address"?'
    assert found.span is not None
    assert found.span[1:] == (1, 18, 1, 29)
    missing = problem(b"{{ number }}")
    assert missing.hint == "neither the instance nor its host says what number is"
    assert [str(span) for span, _ in missing.related] == ["desired/instances/acme.toml:8:1"]


def test_all_typos_are_told_at_once_and_once_for_all_instances() -> None:
    outcome = compiled(b"{{ a }}\n{{ b }}{{ a }}", *(Wish(f"i{n}", peer="x") for n in range(9)))
    assert [str(d.span) for d in outcome.diagnostics] == [
        f"{FILE}:1:4",
        f"{FILE}:2:4",
        f"{FILE}:2:11",
    ]
    outcome = compiled(b"{{ number }}", *(Wish(f"i{n}", peer="x") for n in range(9)))
    assert len(outcome.diagnostics) == 1


def test_a_template_that_nobody_needs_is_not_read() -> None:
    assert compiled(b"{{", Wish("acme")).diagnostics == ()
    resolved = host([Wish("acme")], template="failover.conf.j2")
    resolved = replace(resolved, file=replace(resolved.file, failover_template=None))
    assert compile_host(resolved, "f", 1, reference(), {}, {}).diagnostics == ()


@given(
    st.text()
    | st.lists(st.sampled_from(["{{", "}}", "{%", "%}", " if ", "role", "\n", "("])).map("".join)
)
def test_any_template_is_rendered_or_reported(template: str) -> None:
    outcome = compiled(template.encode("utf-8", "replace"))
    assert (outcome.value is None) == bool(outcome.diagnostics)
    assert all(d.code in ("FLO110", "FLO111", "FLO112") for d in outcome.diagnostics)
