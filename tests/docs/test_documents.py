"""The documents are true where a program can tell: links, commands, examples, and what must be mentioned."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pbxfleet.app.pages import codes
from pbxfleet.cli.commands import COMMANDS
from pbxfleet.cli.main import build_parser
from pbxfleet.core.diagnostics import Severity
from pbxfleet.core.exits import Exit
from pbxfleet.model.desired import LISTENER_ROLES, Ownership, Role, ServiceBackend
from pbxfleet.pbx.roles import CONFIRMED
from pbxfleet.render.failover import NAMES, read_template
from support.pages import diagnose, laid_over
from support.tree import PACKAGE, ROOT, nothing, project_files, shown

DOCUMENTS = [
    path
    for path in project_files()
    if path.suffix == ".md" and (path.parent == ROOT or path.is_relative_to(ROOT / "docs"))
]
HANDWRITTEN = [path for path in DOCUMENTS if "reference" not in path.parts]
HOW_TO = ROOT / "docs" / "how-to"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"# (desired/\S+)\n")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return FENCE.sub("", text)


def without_sessions(path: Path) -> str:
    return re.sub(r"^```console\n.*?^```$", "", read(path), flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What links to headings of a document may say."""
    return {
        "".join(c for c in heading.lower() if c.isalnum() or c in " -_").replace(" ", "-")
        for heading in HEADING.findall(prose(text))
    }


def blocks(path: Path, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(read(path)) if language in languages]


def test_links_lead_somewhere() -> None:
    broken = []
    for path in DOCUMENTS:
        for link in LINK.findall(prose(read(path))):
            target, _, anchor = link.partition("#")
            if "://" in target:
                continue
            file = path.parent / target if target else path
            if not file.exists():
                broken.append(f"{shown(path)}: {link}: no such file")
            elif anchor and anchor not in anchors(read(file)):
                broken.append(f"{shown(path)}: {link}: no such heading")
    nothing(broken)


def test_every_document_can_be_found_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        links = (link.partition("#")[0] for link in LINK.findall(prose(read(path))))
        waiting += [(path.parent / link).resolve() for link in links if "://" not in link and link]
    # Reports of releases are for those who look into the root folder.
    nothing([shown(p) for p in DOCUMENTS if p not in seen and p.name != "CHANGELOG.md"])


def command_lines() -> list[tuple[str, str]]:
    """Every line of a code block that runs pbxfleet, with where it stands."""
    found = []
    for path in HANDWRITTEN:
        text = "\n".join(blocks(path, "sh", "console", "crontab", "ini"))
        indented = re.findall(r"^ {4}(\S.*)$", prose(read(path)), re.MULTILINE)
        for line in [*text.splitlines(), *indented]:
            call = re.search(r"(?:^(?:\$ )?|bin/|root  )(pbxfleet (?!/).*)$", line)
            if call:
                found.append((shown(path), call[1]))
    return found


def arguments(line: str) -> list[str]:
    """The words of a command line up to a redirection, a pipe or a comment."""
    words = shlex.split(line, comments=True)
    ends = [i for i, word in enumerate(words) if word[0] in "|>&"]
    return words[1 : min(ends, default=len(words))]


@pytest.mark.parametrize(("place", "line"), command_lines())
def test_commands_in_documents_are_commands(
    place: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        build_parser().parse_args(arguments(line))
    except SystemExit as end:
        assert end.code == 0, f"{place}: {line}\n{capsys.readouterr().err}"


def test_command_lines_are_found() -> None:
    assert len(command_lines()) > 60


@pytest.mark.parametrize("path", HANDWRITTEN, ids=shown)
def test_whole_files_in_documents_are_valid(path: Path) -> None:
    """They are laid over the small fleet that the examples of the diagnostic pages are laid over."""
    files: dict[str, bytes] = {}
    for body in blocks(path, "toml", "yaml"):
        named = FILE.match(body)
        if named is None:
            continue
        if named[1] in files:  # the next example of the same document
            assert errors(files) == []
            files = {}
        files[named[1]] = body.encode()
    assert errors(files) == []


def errors(files: dict[str, bytes]) -> list[str]:
    if "desired/hosts/fra1.toml" in files:  # of an example with another host than the base fleet's
        files = {**files, "desired/failover.conf": b""}
    releases = b'\n[releases."70.6"]\n'
    base = laid_over(files)
    fleet = base["desired/fleet.toml"]
    release = fleet[fleet.index(b"pbxctrl = ") : fleet.index(b"[catalogue]")]
    base["desired/fleet.toml"] = fleet + releases + release
    found = diagnose(base)
    return [f"{d.code}: {d.message}" for d in found if d.severity is Severity.ERROR]


def test_templates_in_documents_are_templates() -> None:
    (template,) = blocks(HOW_TO / "failover.md", "jinja")
    read_in = read_template("desired/failover.conf", template.encode())
    assert read_in.value is not None
    assert read_in.diagnostics == ()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("docs/reference/failover-template.md", [f"`{name}`" for name in NAMES]),
        ("docs/how-to/troubleshooting.md", [f"| {int(e)} |" for e in Exit if 0 < e < 130]),
        ("docs/how-to/catalogue.md", [f"*{o}*" for o in Ownership]),
        ("docs/reference/format.md", [f'`"{b}"`' for b in ServiceBackend]),
        ("docs/reference/format.md", [f"`listen.{r}`" for r in LISTENER_ROLES]),
        ("docs/reference/format.md", [f"`catalogue.{r}`" for r in Role if r not in CONFIRMED]),
        ("docs/how-to/catalogue.md", [f"`{r}`" for r in Role]),
        ("docs/reference/commands.md", [f"## pbxfleet {c.name}\n" for c in COMMANDS]),
        ("docs/reference/codes.md", [f"## {code}: " for code in codes()]),
        (
            "docs/architecture.md",
            [f"| `{p.name}` |" for p in PACKAGE.iterdir() if (p / "__init__.py").is_file()],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_left_out(path: str, words: list[str]) -> None:
    text = read(ROOT / path)
    nothing([f"{path} lacks {word.strip()}" for word in words if word not in text])


def test_paths_in_the_architecture_exist() -> None:
    found = re.findall(
        r"`((?:compiler|tests|host|plan|apply)/[\w/.]+)`", read(ROOT / "docs/architecture.md")
    )
    assert len(found) > 10
    nothing([p for p in found if not (ROOT / p).exists() and not (PACKAGE / p).exists()])


def test_the_readmes_way_to_a_real_host_can_be_gone(tmp_path: Path) -> None:
    """Up to the host itself: `plan` and `apply` there would be about the machine of this test."""
    text = read(ROOT / "README.md")
    section = text[text.index("## On a real host") : text.index("## What it will never do")]
    lines = re.findall(r"^    (pbxfleet .*)$", section, re.MULTILINE)
    ours = [words for line in lines if not {"plan", "apply"} & set(words := arguments(line))]
    assert len(ours) == 4
    for words in ours:
        argv = (sys.executable, "-m", "pbxfleet", *words)
        done = subprocess.run(
            argv, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"


def test_the_readmes_instance_is_that_of_the_example() -> None:
    (block,) = blocks(ROOT / "README.md", "toml")
    lines = read(ROOT / "desired/instances/birch.toml").splitlines()
    assert block.splitlines() == [line for line in lines if not line.startswith("#")]


def test_the_readme_has_figures_for_every_limit() -> None:
    table = read(ROOT / "README.md").partition("<!-- bench -->")[2].partition("<!-- end")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.strip().splitlines()]
    assert [len(row) for row in rows] == [4] * len(rows)
    limited = {row[0]: row[3] for row in rows if "met" in row[3].lower()}
    assert set(limited) == {
        "`pbxfleet --help`",
        "`pbxfleet --version`",
        "compile, 1000 instances",
        "plan with nothing to do, 1000 instances",
        "its memory",
    }
    assert all(verdict.endswith(": met") for verdict in limited.values())


def test_targets_of_make_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    named = {
        (shown(path), target)
        for path in HANDWRITTEN
        for target in re.findall(
            r"(?:`|^ {0,4})make ([a-z]+)\b", without_sessions(path), re.MULTILINE
        )
    }
    assert ("README.md", "demo") in named
    assert ("README.md", "test") in named
    nothing([f"{place}: make {target}" for place, target in sorted(named) if target not in targets])


# In pieces, so that this file does not hold what it looks for.
FORBIDDEN = re.compile(
    r"\b(A" r"I|LL" r"M|assist" r"ant|chat" r"bot|sess" r"ion (notes?|log)|brief)\b"
)
SELLING = re.compile(
    r"\b(power"
    r"ful|seam"
    r"less(ly)?|bla"
    r"zing|effort"
    r"less(ly)?|simp"
    r"ly|just wor"
    r"ks)\b",
    re.IGNORECASE,
)


def test_documents_speak_of_the_project_alone() -> None:
    nothing(
        [
            f"{shown(path)}: {match[0]}"
            for path in HANDWRITTEN
            for pattern in (FORBIDDEN, SELLING)
            for match in pattern.finditer(read(path))
        ]
    )
