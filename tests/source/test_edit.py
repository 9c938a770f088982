"""A value is put into a file by one splice, and the file says everything else as before."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.source.edit import value_at, with_value
from pbxfleet.source.load import load
from support.tree import ROOT

TOML = """\
# An instance.
host = "fra1"  # where it is
release = '70.5'

listen.http = 80  # the web

# What it is called.
[settings]
sys_name = "ACME"  # short
log_length = 200
greeting = { value = "hello", ownership = "seeded" }

[failover]
peer = "other"
"""
YAML = """\
# An instance.
host: fra1  # where it is
listen: {http: 80}  # the web

# What it is called.
settings:
  sys_name: 'ACME'  # short
  log_length: 200
  greeting: {value: hello, ownership: seeded}

failover:
  peer: other
"""
FLAT = 'defaults = { listen = { http = 80 }, cpu = "auto" }\nname = "x"\n'
CASES = [
    ("a.toml", TOML, "settings/sys_name", "Acme Ltd", 'sys_name = "Acme Ltd"  # short\n'),
    ("a.toml", TOML, "settings/log_length", "300", "log_length = 300\n"),
    ("a.toml", TOML, "settings/log_length", "many", 'log_length = "many"\n'),
    ("a.toml", TOML, "release", "70.6", "release = '70.6'\n"),
    ("a.toml", TOML, "settings/greeting/value", "bye", '{ value = "bye", ownership = "seeded" }\n'),
    ("a.toml", TOML, "settings/new", "7", '"seeded" }\nnew = 7\n\n[failover]\n'),
    ("a.toml", TOML, "listen/https", "444", "# the web\nlisten.https = 444\n"),
    ("a.toml", TOML, "cpu", "3", "listen.http = 80  # the web\ncpu = 3\n"),
    (
        "a.toml",
        TOML,
        "defaults/settings/a",
        "b",
        'peer = "other"\n\n[defaults.settings]\na = "b"\n',
    ),
    ("a.toml", "", "settings/a", "b", '[settings]\na = "b"\n'),
    ("a.toml", "[settings]\n", "cpu", "3", "cpu = 3\n\n[settings]\n"),
    ("a.toml", FLAT, "defaults/listen/http", "81", "http = 81 }"),
    ("a.toml", FLAT, "defaults/settings/a", "b", 'cpu = "auto", settings = { a = "b" } }\n'),
    ("a.yaml", YAML, "settings/sys_name", "Acme Ltd", "sys_name: 'Acme Ltd'  # short\n"),
    ("a.yaml", YAML, "settings/log_length", "300", "log_length: 300\n"),
    ("a.yaml", YAML, "settings/greeting/value", "a: b", '{value: "a: b", ownership: seeded}\n'),
    ("a.yaml", YAML, "settings/new", "x: y", 'ownership: seeded}\n  new: "x: y"\n\nfailover:'),
    ("a.yaml", YAML, "listen/https", "444", "{http: 80, https: 444}  # the web\n"),
    ("a.yaml", YAML, "defaults/settings/a", "b", "other\ndefaults:\n  settings:\n    a: b\n"),
    ("a.yaml", "a: |\n  text\n  more\n# end\n", "b", "1", "  more\nb: 1\n# end\n"),
    ("a.yaml", "a: {}\n", "a/b", "1", "a: {b: 1}\n"),
    ("a.yaml", "# nothing\n", "a", "1", "# nothing\na: 1\n"),
    ("a.yaml", "a:\n- b\n- c", "d", "1", "- c\nd: 1\n"),
]


@pytest.mark.parametrize(("file", "text", "path", "value", "found"), CASES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_value_stands_where_a_person_would_write_it(
    file: str, text: str, path: str, value: str, found: str, mark: str, end: str
) -> None:
    before = (mark + text.replace("\n", end)).encode()
    after = with_value(file, before, tuple(path.split("/")), value)
    assert after is not None
    known = end if "\n" in text else "\n"  # nobody can tell in an empty file
    assert found.replace("\n", known) in after.decode()
    assert_one_splice(before.decode(), after.decode())


def assert_one_splice(before: str, after: str) -> None:
    """What was before stands there still, but for at most one piece."""
    start = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    if start is None:
        start = min(len(before), len(after))
    rest = before[start:]
    longest = next(
        n for n in range(len(rest), -1, -1) if after[start:].endswith(rest[len(rest) - n :])
    )
    replaced = rest[: len(rest) - longest]
    assert "\n" not in replaced and "#" not in replaced
    blocks = SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    changed = [op for op in blocks.get_opcodes() if op[0] != "equal"]
    assert len(changed) <= 1


@pytest.mark.parametrize(
    ("file", "text", "path"),
    [
        ("a.toml", "a = [", "b"),
        ("a.toml", 'settings = "text"\n', "settings/b"),
        ("a.toml", "[settings.b]\nc = 1\n", "settings/b"),
        ("a.yaml", "a: [1\n", "b"),
        ("a.yaml", "settings: text\n", "settings/b"),
    ],
)
def test_what_one_splice_cannot_do_is_left_to_a_person(file: str, text: str, path: str) -> None:
    assert with_value(file, text.encode(), tuple(path.split("/")), "1") is None


FILES = sorted(path for path in (ROOT / "desired").rglob("*") if path.suffix in (".toml", ".yaml"))
PATHS = st.sampled_from(
    [
        "settings/sys_name",
        "settings/x",
        "listen/http",
        "defaults/settings/y",
        "cpu",
        "rtp",
        "release",
    ]
)
VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn"))
)


@given(file=st.sampled_from(FILES), path=PATHS, value=VALUES)
def test_any_value_is_read_back_from_any_file(file: object, path: str, value: str) -> None:
    name, content = str(file), file.read_bytes()  # type: ignore[attr-defined]
    keys = tuple(path.split("/"))
    after = with_value(name, content, keys, value)
    assert after is not None
    read = load(name, after).value
    assert read is not None and value_at(read, keys) == value
    assert_one_splice(content.decode(), after.decode())
    assert with_value(name, after, keys, value) == after
