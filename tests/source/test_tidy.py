"""Canonical form: laws over random files with comments, and over every file of the tests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.source.load import load
from pbxfleet.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.tidy import tidied
from pbxfleet.source.tidy_toml import comments_of_toml
from pbxfleet.source.tidy_yaml import comments_of_yaml
from support.tree import ROOT

CORPUS = sorted(
    path
    for folder in (
        "desired",
        "tests/golden",
        "tests/support/basefleet",
        "compiler/pbxfleet/skeleton",
    )
    for path in (ROOT / folder).rglob("*.*ml")
    if path.suffix in (".toml", ".yaml", ".yml")
)


def plain(node: Node) -> Any:
    """Everything that a node says, without places."""
    match node:
        case ScalarNode():
            return node.kind, node.text
        case SequenceNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return [(entry.key, plain(entry.node)) for entry in node.entries]


def said(file: str, content: bytes) -> tuple[Any, list[str]]:
    read = load(file, content).value
    assert read is not None, content.decode()
    comments = comments_of_toml if file.endswith(".toml") else comments_of_yaml
    return plain(read), comments(content.decode().replace("\r\n", "\n"))


def obey_the_laws(file: str, content: bytes) -> bytes:
    once = tidied(file, content).value
    assert once is not None
    assert said(file, once) == said(file, content)
    assert tidied(file, once).value == once
    return once


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_file_of_the_tests(path: Any) -> None:
    content = path.read_bytes()
    outcome = tidied(path.name, content)
    if load(path.name, content).value is None:
        assert outcome.value is None and outcome.diagnostics == load(path.name, content).diagnostics
    else:
        obey_the_laws(path.name, content)


BLANKS = st.sampled_from(["", " ", "   ", "\t"])
WORDS = st.sampled_from(["# a comment", "#b", "#   c, [x] = {y: 1}  ", '# "quoted', "#é 漢"])
LINES = st.lists(st.one_of(WORDS, st.sampled_from(["", "   ", "\t"])), max_size=3)
KEYS = st.sampled_from(["host", "cpu", "sip_udp", "a-b", "k1", "long_name_of_a_key"])
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def toml_value(draw: st.DrawFn, deep: int = 2) -> str:
    blank = draw(st.sampled_from(["", " ", "  "]))
    kinds = [
        '"text # no comment"',
        "'a  b'",
        "42",
        "-0.5",
        "true",
        "1979-05-27",
        '"""\nx  \n # y\n"""',
    ]
    if not deep or draw(st.booleans()):
        return draw(st.sampled_from(kinds))
    if draw(st.booleans()):
        keys = draw(st.lists(KEYS, unique=True, max_size=3))
        pairs = [f"{key}{blank}={blank}{draw(toml_value(0))}" for key in keys]
        single = [pair for pair in pairs if "\n" not in pair]
        return "{" + blank + f"{blank},{blank}".join(single) + blank + "}"
    items = draw(st.lists(toml_value(deep - 1), max_size=3))
    written = "[" + blank
    for item in items:
        written += draw(st.sampled_from(["", "\n", "\n\n   ", "  # first\n"]))
        written += item + blank + "," + draw(st.sampled_from(["", " ", "  # behind\n", "\n#own\n"]))
    return written + draw(st.sampled_from(["", "\n", "\n# last\n  "])) + "]"


@st.composite
def toml_text(draw: st.DrawFn) -> str:
    lines: list[str] = []

    def statements(keys: list[str]) -> None:
        for key in keys:
            lines.extend(draw(LINES))
            value = draw(toml_value())
            behind = draw(st.sampled_from(["", "   ", "# c", "   # c  ", "\t# c"]))
            lines.append(f"{draw(BLANKS)}{key}{draw(BLANKS)}={draw(BLANKS)}{value}{behind}")

    statements(draw(st.lists(KEYS, unique=True, max_size=3)))
    for table in draw(
        st.lists(st.sampled_from(["t", 'u . "v.w"', "x.y"]), unique=True, max_size=2)
    ):
        lines.extend(draw(LINES))
        lines.append(f"{draw(BLANKS)}[ {table} ]{draw(st.sampled_from(['', ' # t', '#t']))}")
        statements(draw(st.lists(KEYS, unique=True, max_size=2)))
    lines.extend(draw(LINES))
    return draw(ENDS).join(lines) + draw(st.sampled_from(["", "\n", "\n\n\n"]))


@given(toml_text())
def test_toml(text: str) -> None:
    if load("x.toml", text.encode()).value is not None:
        obey_the_laws("x.toml", text.encode())


FLOWS = st.sampled_from(
    [
        "text", "70.5", '"a # b"', "'it''s'", "203.0.113.10", "[a,b ,  c]", "{x: 1 ,y: [ 2,3 ]}",
        "[a,   # behind\n        b]", '"two\n    lines"', "[]", "{}", "NO", "a  b # c",
    ]
)  # fmt: skip


@st.composite
def yaml_block(draw: st.DrawFn, column: int, deep: int) -> list[str]:
    """Lines of a mapping at a column."""
    lines: list[str] = []
    for key in draw(st.lists(KEYS, unique=True, min_size=1, max_size=3)):
        lines += [
            " " * draw(st.sampled_from([0, column, column + 1])) + c
            for c in draw(LINES)
            if c.strip()
        ]
        lines += [""] * draw(st.integers(0, 2))
        head = " " * column + key + draw(st.sampled_from(["", " "])) + ":"
        behind = draw(st.sampled_from(["", "   # c", " #c  "]))
        shape = draw(st.integers(0, 4 if deep else 1))
        step = draw(st.integers(1, 5))
        if shape <= 1:
            value = draw(FLOWS)
            lines.append(f"{head}{draw(st.sampled_from([' ', '    ']))}{value}")
        elif shape == 2:
            lines.append(head + behind)
            lines += draw(yaml_block(column + step, deep - 1))
        elif shape == 3:
            lines.append(head + behind)
            at = column + draw(st.sampled_from([0, step]))
            for _ in range(draw(st.integers(1, 2))):
                dash = " " * at + "-" + " " * draw(st.integers(1, 3))
                inner = draw(yaml_block(len(dash), 0)) if draw(st.booleans()) else []
                inner = [
                    line for line in inner if line.strip() and not line.strip().startswith("#")
                ]
                if inner and len(inner[0]) - len(inner[0].lstrip()) == len(dash):
                    lines += [dash + inner[0].lstrip(), *inner[1:]]
                else:
                    lines.append(f"{dash}item")
        else:
            lines.append(f"{head} |{draw(st.sampled_from(['', '-', '+']))}")
            lines += [" " * (column + step) + text for text in ("one", "  two # no comment")]
            lines += [""] * draw(st.integers(0, 2))
    return lines


@st.composite
def yaml_text(draw: st.DrawFn) -> str:
    head = draw(st.sampled_from(["", "---\n", "# first\n\n\n", "\n\n"]))
    body = draw(ENDS).join(draw(yaml_block(draw(st.sampled_from([0, 0, 2])), 2)))
    return head + body + draw(st.sampled_from(["", "\n", "\n\n\n# last  ", "\n  # last\n\n"]))


@given(yaml_text())
def test_yaml(text: str) -> None:
    if load("x.yaml", text.encode()).value is not None:
        obey_the_laws("x.yaml", text.encode())


TOML = """

# head
#:schema x
a=1#c
b   =   [1,2 ,3 , ]    # x
  [ t . "u" ]   # hh
k . l={a=1,b=[ 1 ]}


c = [   # first
1,   # one
      2
]
"""

TIDY_TOML = """# head
#:schema x
a = 1 #c
b = [1, 2, 3,]    # x
[t."u"]   # hh
k.l = { a = 1, b = [1] }

c = [   # first
  1,   # one
  2
]
"""

YAML = """

# head
host:    fra1   # c1
listen:   { sip_udp: 5060 ,http: 80 }


failover:
    # about role
    role:   primary
    peer: acme-dr     # end
    # after
settings:
      sys_name :  "A  B"
tenants:
- a
-   b
"""

TIDY_YAML = """# head
host: fra1   # c1
listen: {sip_udp: 5060, http: 80}

failover:
  # about role
  role: primary
  peer: acme-dr     # end
  # after
settings:
  sys_name: "A  B"
tenants:
- a
- b
"""


@pytest.mark.parametrize(
    ("file", "text", "tidy"), [("x.toml", TOML, TIDY_TOML), ("x.yaml", YAML, TIDY_YAML)]
)
def test_the_form(file: str, text: str, tidy: str) -> None:
    assert obey_the_laws(file, text.encode()).decode() == tidy


@pytest.mark.parametrize("file", ["x.toml", "x.yaml"])
@pytest.mark.parametrize("text", ["", "\n\n", "# only\n", "\ufeff# mark\r\n"])
def test_files_that_say_nothing(file: str, text: str) -> None:
    once = tidied(file, text.encode()).value
    assert once is not None and tidied(file, once).value == once
    assert once.decode() in ("", "# only\n", "# mark\n")


def test_what_cannot_be_moved_stays() -> None:
    """Kept line ends are a part of the text: the whole file stays as it is."""
    text = b"a:   |+\n  x\n\n\nb:   1\n"
    assert tidied("x.yaml", text).value == text
