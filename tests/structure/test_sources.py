"""Rules of the house that neither the linter nor the type checker can see."""

from __future__ import annotations

import ast
import re

from support.tree import PACKAGE, ROOT, nothing, project_files, python_files, shown

# Written in pieces, so that this file does not contain what it looks for.
LEFTOVERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")
REGISTRIES = re.compile("py" r"pi\.org|python" r"hosted\.org|--index-" "url|--find-" "links")
MACHINE_PATHS = re.compile(r"(?<![\w.>}*/-])/(wor" r"k|home/\w+|root/\.)/?")
SKIPPERS = re.compile(r"\bpytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b")
LINES_AT_MOST = 400


def texts() -> dict[str, str]:
    """Every text file of the project; files that are not UTF-8 are data of tests and left out."""
    found = {}
    for path in project_files():
        try:
            found[shown(path)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_for_later() -> None:
    nothing(lines_with(LEFTOVERS))


def test_no_package_registry_is_named() -> None:
    nothing(lines_with(REGISTRIES))


def test_no_path_of_a_developers_machine_is_named() -> None:
    nothing(lines_with(MACHINE_PATHS))


def test_only_beds_may_skip() -> None:
    here = ("tests/support/beds.py", shown(ROOT / "tests/structure/test_sources.py"))
    nothing([line for line in lines_with(SKIPPERS) if not line.startswith(here)])


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        shown(path)
        for path in (*python_files(PACKAGE), *python_files(ROOT / "tests"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    nothing(silent)


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in python_files(PACKAGE)}
    nothing([shown(f) for f in sorted(folders) if not (f / "__init__.py").is_file()])


def test_files_stay_readable() -> None:
    long = [
        f"{shown(path)}: {count} lines"
        for path in python_files()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES_AT_MOST
    ]
    nothing(long)
