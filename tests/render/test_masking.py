"""No line that is shown below a diagnostic holds a secret, however wrong the file is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pbxfleet.app.learn import learn_file
from pbxfleet.app.masking import masked_pbx_xml
from pbxfleet.app.reading import read_fleet
from pbxfleet.core.errors import Refused
from pbxfleet.source.excerpt import diagnostics_json, render
from support.pages import laid_over

SECRET = "hunter2-9f8e"
ALPHA = "desired/instances/alpha.toml"
BETA = "desired/instances/beta.yaml"
REFERENCE = "desired/reference/pbx.xml"


def shown(repository: Path, file: str, content: bytes) -> str:
    for name, text in laid_over({file: content}).items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    fleet = read_fleet(str(repository))
    assert any(file in str(d.span) for d in fleet.diagnostics)
    return render(fleet.diagnostics, fleet.texts()) + json.dumps(
        diagnostics_json(fleet.diagnostics)
    )


@pytest.mark.parametrize(
    "written",
    [
        f'pw_pass = "{SECRET}"',
        f'pw_pass = {{ value = "{SECRET}" }}',
        f'pw_pass = {{ secret = "{SECRET}!" }}',
        f'[failover]\naction_url = "https://admin:{SECRET}@dns.example.net/"',
        f'sys_name = {{ secret = "{SECRET}!" }}',
        f'pw_pass = {{ value = "{SECRET}", secret = "x" }}',
        f'pw_pass = ["{SECRET}"]',
        f"pw_pass = {SECRET}",
        f'pw_pass = "{SECRET}" x',
        f'pw_pass = "{SECRET}',
        f'"pw_pass" = "a"\npw_pass = "{SECRET}"',
        f'[settings.pw_pass]\nownership = "owned"\nvalue = "{SECRET}"\nsecret = "x"',
        f'settings = {{ activation_key = "{SECRET}", }}',
    ],
)
def test_a_fleet_file(tmp_path: Path, written: str) -> None:
    head = 'host = "fra1"\naddress = "203.0.113.10"\n'
    head += "" if "settings" in written else "[settings]\n"
    assert SECRET not in shown(tmp_path, ALPHA, (head + written + "\n").encode())


@pytest.mark.parametrize(
    "written",
    [f"pw_pass: {SECRET}", f"pw_pass: [{SECRET}", f"pw_pass:\n    value: {SECRET}\n    x: 1"],
)
def test_a_fleet_file_in_yaml(tmp_path: Path, written: str) -> None:
    head = "host: fra1\naddress: 203.0.113.11\nsettings:\n  "
    assert SECRET not in shown(tmp_path, BETA, (head + written + "\n").encode())


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize(
    "written",
    [
        f"<pw_pass>{SECRET}</pw_pass></x>",
        f'<any encrypted="true">{SECRET}</any></x>',
        f'<any encrypted="true"><![CDATA[{SECRET}]]></any></x>',
        f"<pw_pass><!-- x -->{SECRET}</pw_pass></x>",
        f"<pw_pass>\n{SECRET} & </pw_pass>",
        f'<pw_pass value="{SECRET}"><<{SECRET}</pw_pass>',
        f"<smtp_password>{SECRET} 198.51.100.10</smtp_password>",
        f"<pw_pass>{SECRET}</pw_pas>",
        f"<pw_pass>{SECRET}",
    ],
)
def test_a_reference_file(tmp_path: Path, written: str, codec: str) -> None:
    text = f'<?xml version="1.0" encoding="{codec}"?>\n<config>\n{written}\n</config>\n'
    said = shown(tmp_path, REFERENCE, text.encode(codec))
    assert SECRET not in said
    assert SECRET not in said.replace("\\\\x00", "").replace("\\x00", "")


def test_learning_from_a_file(tmp_path: Path) -> None:
    """Warnings are not among the lines to copy, and neither has the secret."""
    file = tmp_path / "pbx.xml"
    file.write_text(f"<config><ip_http_port>80</ip_http_port><pw_pass>{SECRET}</pw_pass></config>")
    learned = learn_file(str(file), [])
    assert "XML121" in learned.warnings
    assert "XML121" not in learned.text
    assert SECRET not in learned.text + learned.warnings + json.dumps(learned.proposals)
    file.write_text(f"<config><pw_pass>{SECRET}</pw_pas></config>")
    with pytest.raises(Refused) as caught:
        learn_file(str(file), [])
    assert SECRET not in str(caught.value.message)


def test_what_is_no_secret_stays_readable_and_in_its_column() -> None:
    text = '<a x="1">198.51.100.10:80</a><pw_user>admin</pw_user><pw_pass encrypted="true">xyz</pw_pass>\n'
    assert masked_pbx_xml(text) == text.replace("xyz", "***")


def test_masking_takes_no_longer_than_reading() -> None:
    for piece in (
        "<a encrypted= ",
        "encrypted= ",
        "<pw_pass>",
        "<pw_pass </",
        "<",
        "<a encrypted>",
    ):
        text = "<config><a " + piece * 50_000
        assert len(masked_pbx_xml(text)) == len(text)
