"""Every diagnostic code has a page, every page a code, and all pages have one shape."""

from __future__ import annotations

import re

from support.tree import PACKAGE, nothing, python_files, shown

# As a value of its own, or within a finished line such as `error[PLN101]: ...`.
CODE = re.compile(r"""["'[]([A-Z]{3}[0-9]{3})["'\]]""")
PAGES = PACKAGE / "pages"


def codes_in_source() -> dict[str, str]:
    """Each code that the program can say, with one place where it does."""
    found: dict[str, str] = {}
    for path in python_files(PACKAGE):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for code in CODE.findall(line):
                found.setdefault(code, f"{shown(path)}:{number}")
    return found


def test_every_code_has_a_page() -> None:
    pages = {page.stem for page in PAGES.glob("*.md")}
    without = {code: place for code, place in codes_in_source().items() if code not in pages}
    nothing([f"{place}: {code} has no page" for code, place in without.items()])


def test_every_page_belongs_to_a_code() -> None:
    used = codes_in_source()
    nothing([page.name for page in sorted(PAGES.glob("*.md")) if page.stem not in used])


def test_pages_have_one_shape() -> None:
    wrong = []
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
        if not text.startswith(f"# {page.stem}: "):
            wrong.append(f"{shown(page)}: the first line is not `# {page.stem}: title`")
        if headings != ["Bad", "Good", "What to do"]:
            wrong.append(f"{shown(page)}: headings are {headings}")
    nothing(wrong)
