"""The script for a Windows host: what stands in it, and that nothing in it ends a string too early.

No PowerShell is at hand where these tests run: the script's text is taken apart here, not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import pytest
import tree_sitter_powershell
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Language, Parser

from pbxfleet.app.live import open_live
from pbxfleet.core.drives import from_windows, in_tree, is_on_drive, to_windows
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath, host_path
from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.model.manifest import encode
from pbxfleet.render.compile import compile_host
from pbxfleet.render.services.windows import QUOTES, quoted
from support.rendered import compile_case
from support.resolved import INPUTS, Wish, host, reference

NASTY = "a'b\u2019c\u201ad `$env:X $(del) \"q\" {#} {{ }} @' '@ \u00fc\U0001f4de"
OPENING = {"(": ")", "{": "}", "[": "]"}


def script(*wishes: Wish, affinity: AffinityBy = AffinityBy.UNIT) -> str:
    resolved = host(wishes, ServiceBackend.WINDOWS, affinity=affinity)
    outcome = compile_host(resolved, "f", 1, reference(), {}, INPUTS)
    assert outcome.value is not None, outcome.diagnostics
    (name,) = [name for name in outcome.value.files if name.endswith(".ps1")]
    return outcome.value.files[name].decode("utf-8-sig")


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Strings, comments and brackets of a PowerShell text; AssertionError where a string has no end.

    As much of about_Quoting_Rules as the script uses: no here-strings, no block comments.
    """
    at = 0
    while at < len(text):
        sign = text[at]
        if sign in QUOTES:
            value, at = _single(text, at + 1)
            yield "string", value
        elif sign == '"':
            end = at + 1
            while text[end] != '"':
                end += 2 if text[end] == "`" else 1
            # A part of the program within the text: $( ... ), whose own quotes are not looked at here.
            yield "expandable", text[at + 1 : end]
            at = end + 1
        elif sign == "#":
            end = text.find("\n", at)
            yield "comment", text[at:end]
            at = end
        else:
            if sign in "(){}[]":
                yield "bracket", sign
            at += 2 if sign == "`" else 1


def _single(text: str, at: int) -> tuple[str, int]:
    value = ""
    while True:
        assert at < len(text) and text[at] != "\n", "a string does not end on its line"
        if text[at] in QUOTES:
            if text[at + 1 : at + 2] not in tuple(QUOTES):
                return value, at + 1
            at += 1
        value += text[at]
        at += 1


def unbalanced(text: str) -> list[str]:
    """Brackets that are left open, or the first one that closes nothing."""
    waiting: list[str] = []
    for kind, value in tokens(text):
        if kind == "bracket":
            if value in OPENING:
                waiting.append(OPENING[value])
            elif not waiting or waiting.pop() != value:
                return [f"{value} closes nothing"]
    return waiting


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_a_quoted_text_means_itself(text: str) -> None:
    assert list(tokens(quoted(text) + "\n")) == [("string", text)]


def test_strings_end_and_brackets_are_balanced() -> None:
    settings = {"sys_name": NASTY}
    text = script(Wish("acme", settings=settings, directory=f"/C:/{NASTY}"), Wish("beta"))
    assert unbalanced(text) == []
    strings = [value for kind, value in tokens(text) if kind == "string"]
    assert NASTY in strings
    assert to_windows(f"/C:/{NASTY}") in strings


def test_the_grammar_of_powershell_takes_it() -> None:
    parser = Parser(Language(tree_sitter_powershell.language()))
    settings = {"sys_name": NASTY, "email_global": None}
    whole = script(Wish("acme", settings=settings, directory=f"/C:/{NASTY}", cpu=2), Wish("beta"))
    assert not parser.parse(whole.encode()).root_node.has_error
    for good, bad in (("'acme'", "'acme"), ("} catch {", "} catch"), ("= @(\n", "= @\n")):
        assert good in whole
        assert parser.parse(whole.replace(good, bad, 1).encode()).root_node.has_error


def test_every_instance_is_a_service_of_its_own() -> None:
    strings = [v for kind, v in tokens(script(Wish("acme"), Wish("beta"))) if kind == "string"]
    for name in ("acme", "beta"):
        directory = rf"C:\Program Files\Vodia\PBX-{name}"
        assert strings.count(f"pbx-{name}") == 1
        assert rf'"{directory}\pbxctrl.exe" --dir "{directory}"' in strings


def test_the_core_is_a_mask_where_the_starter_pins() -> None:
    assert "\n        Mask = 8\n" in script(Wish("acme", cpu=3))
    assert "\n        Mask = 0\n" in script(Wish("acme", cpu=3), affinity=AffinityBy.PBX)
    assert "\n        Mask = 0\n" in script(Wish("acme"))


def test_a_service_that_ends_is_started_again() -> None:
    text = script(Wish("acme"))
    assert "FailureActions = 'restart/5000/restart/5000/restart/5000'" in text
    assert "$ResetAfter = 86400" in text


def test_nothing_is_done_but_in_a_step() -> None:
    """Whatever changes the machine stands in the block of a Step, which -Plan does not run."""
    acts = re.compile(
        r"\b(New-Service|Stop-Service|Start-Service|Invoke-CimMethod|Invoke-Sc|Copy-Item|Move-Item)\b"
        r"|CreateDirectory|ProcessorAffinity ="
    )
    text = script(Wish("acme"))
    body = text[text.index("function Step") :]
    depth, step_at, found = 0, -1, 0
    for line in body.splitlines():
        if re.match(r"\s*Step \"", line) and step_at < 0:
            step_at = depth
        if acts.search(line) and not line.startswith(("#", "function Invoke-Sc")):
            found += 1
            assert step_at >= 0, line
        depth += line.count("{") - line.count("}")
        if step_at >= 0 and depth <= step_at:
            step_at = -1
    assert found >= 9


def test_no_secret_and_no_list_for_other_systems_is_rendered() -> None:
    outcome = compile_case("windows")
    assert outcome.value is not None
    assert not [name for name in outcome.value.files if name.endswith((".list", ".exclude"))]
    text = outcome.value.files["root/C/ProgramData/pbxfleet/pbxfleet.ps1"].decode("utf-8-sig")
    assert "@{ Name = 'pw_pass'; Kind = 'secret'; Value = '' }" in text
    assert "acme/admin" not in text


def test_names_in_the_tree_are_names_everywhere() -> None:
    outcome = compile_case("windows")
    assert outcome.value is not None
    assert not [name for name in outcome.value.files if set(name) & set('<>:"|?*\\')]


def test_the_host_half_refuses_such_a_host(tmp_path: Path) -> None:
    outcome = compile_case("windows")
    assert outcome.value is not None
    folder = tmp_path / "rendered/fra1"
    folder.mkdir(parents=True)
    target = outcome.value.target
    (folder / "manifest.json").write_bytes(encode(target._replace(inputs={})))
    with pytest.raises(Refused) as refused:
        open_live(str(tmp_path), "fra1", str(tmp_path))
    assert refused.value.code == "PLN117"


@pytest.mark.parametrize("text", [r"c:\PBX\a b", "C:/PBX/a b"])
def test_paths_of_windows_and_back(text: str) -> None:
    path = HostPath(host_path(from_windows(text)))
    assert path == "/C:/PBX/a b"
    assert is_on_drive(path)
    assert PureWindowsPath(to_windows(path)) == PureWindowsPath(text)
    assert in_tree(path) == "/C/PBX/a b"


@pytest.mark.parametrize("text", ["/usr/local/pbx", "C:x", "1:/x", "/C/x", "pbx"])
def test_other_paths_are_left_alone(text: str) -> None:
    assert from_windows(text) == text
    assert not is_on_drive(text)
    assert in_tree(HostPath(text)) == text
