"""How pbx.xml is read in any dialect, and what a first start makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from support.standin import PORTS, bound, bound_to, configuration, wait_until
from support.standin_box import Box, namespace

CONFIG = "/rest/system/config"


@pytest.mark.parametrize(
    ("encode", "declaration"),
    [
        ("utf-8", ""),
        ("utf-8", '<?xml version="1.0" encoding="utf-8"?>'),
        ("utf-8-sig", "<?xml version='1.0'?>"),
        ("iso-8859-1", "<?xml version='1.0' encoding='ISO-8859-1' standalone='yes'?>"),
        ("utf-16", '<?xml version="1.0" encoding="utf-16"?>'),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_it_does_not_change_stays_byte_for_byte(
    box: Box, encode: str, declaration: str, line_end: str
) -> None:
    settings = bound_to(box.address)
    lines = [
        declaration,
        "<!DOCTYPE any [ <!ENTITY quoted '>' > ]>",
        "<!-- <config> -->",
        '<any kind="a > b">',
        *[f"\t<{name}  >{value}</{name} >" for name, value in settings.items()],
        "<sys_name>Gr\u00fc\u00dfe &amp; &#x41;&#66;<![CDATA[<c>]]><!-- no --></sys_name>",
        "<!-- </any> --><deep><x>1</x><x/></deep><empty/><flag a='/'/>",
        "  <log_length  unit='lines'>100</log_length></any>",
        "<!-- tail -->",
    ]
    box.pbx_xml.write_bytes(line_end.join(lines).encode(encode))
    box.start()
    values = json.loads(box.get(CONFIG).body)
    assert values["sys_name"] == "Gr\u00fc\u00dfe & AB<c>"
    assert values["empty"] == ""
    assert not {"x", "deep"} & set(values)
    box.change(log_length=7)
    wanted = line_end.join(lines).replace(">100<", ">7<")
    assert box.pbx_xml.read_bytes() == wanted.encode(encode)


def test_characters_survive_in_any_encoding(box: Box) -> None:
    data = configuration(bound_to(box.address)).replace(b"utf-8", b"iso-8859-1")
    box.pbx_xml.write_bytes(data)
    box.start()
    box.change(sys_name="\u20ac <&> \u00fc", smtp_server="new")
    assert box.stored()["sys_name"] == "\u20ac <&> \u00fc"
    assert box.stored()["smtp_server"] == "new"


@pytest.mark.parametrize(
    "data",
    [b"", b"text", b"<config>", b"<config><a>", b"<config><a></b></config>",
     b"<config>\xff</config>",
     b"<config><a>&no;</a></config>", b"<config><a>&amp</a></config>", b"<config><!-- </config>",
     b"<config><a>&#xzz;</a></config>", b"<?xml version='1.0' encoding='no'?><config/>",
     b"<config>< ></ ></config>", b"<config><a b='></a></config>"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_no_start(box: Box, data: bytes) -> None:
    box.pbx_xml.write_bytes(data)
    done = box.run()
    assert done.returncode == 1
    assert done.stderr.startswith("pbxctrl: does not start: pbx.xml cannot be read: ")
    assert "Traceback" not in done.stderr
    assert box.pbx_xml.read_bytes() == data


def test_an_empty_root_is_a_configuration(box: Box) -> None:
    box.pbx_xml.write_bytes(b"<config/>")
    box.behave(rewrite="start", add="sys_name=new")
    assert bound(box.start()) == set()
    assert box.stored() == {"sys_name": "new"}


def test_the_last_of_two_counts(box: Box) -> None:
    data = box.pbx_xml.read_bytes()
    box.pbx_xml.write_bytes(data.replace(b"</config>", b"<sys_name>last</sys_name></config>"))
    box.start()
    assert json.loads(box.get(CONFIG).body)["sys_name"] == "last"


def test_a_clear_password_is_stored_encrypted_with_the_next_writing(box: Box) -> None:
    digest = hashlib.md5(b"secret", usedforsecurity=False).hexdigest()
    box.configure(pw_pass="secret")
    box.start()
    assert "<pw_pass>secret</pw_pass>" in box.pbx_xml.read_text()
    assert box.post(CONFIG, {"log_length": 1}, "admin:secret").status == 200
    assert f'<pw_pass encrypted="true">{digest}</pw_pass>' in box.pbx_xml.read_text()
    assert box.get(CONFIG, "admin:secret").status == 200
    assert box.post(CONFIG, {"pw_pass": "other"}, "admin:secret").status == 200
    assert (box.get(CONFIG, "admin:secret").status, box.get(CONFIG, "admin:other").status) == (
        401,
        200,
    )
    assert "other" not in box.pbx_xml.read_text()


def test_an_opaque_secret_is_kept_as_it_is(box: Box) -> None:
    secret = "<smtp_password encrypted='true' key=\"1\">0a1b&#99;</smtp_password>"
    data = box.pbx_xml.read_text().replace("</config>", f"{secret}</config>")
    box.pbx_xml.write_text(data)
    box.behave(reorder=True)
    box.start()
    box.change(log_length=1)
    assert secret in box.pbx_xml.read_text()


def test_without_a_file_it_makes_one_that_binds_every_address(make_box: Callable[..., Box]) -> None:
    box = make_box()
    popen = box.start_in_front(under=namespace())
    wait_until(lambda: box.pidfile.exists() or popen.poll() is not None, "started")
    stored = box.stored()
    assert (stored["ip_http_port"], stored["ip_https_port"]) == ("80", "443")
    assert (stored["sip_udp_port"], stored["sip_tls_port"]) == ("5060", "5061")
    assert {(b.protocol[:3], b.port) for b in bound(popen.pid)} == {
        ("tcp", 80), ("tcp", 443), ("udp", 5060), ("tcp", 5060), ("tcp", 5061), ("udp", 69),
        ("udp", 161), ("tcp", 389),
    }  # fmt: skip
    assert {b.address for b in bound(popen.pid)} <= {"::", "0.0.0.0"}
    assert len(stored) > 50


def first_start(box: Box, holder: Box) -> None:
    """A first start that ends at once, because the port of the command line is taken."""
    holder.configure()
    holder.start()
    done = box.run("--http-port", str(PORTS["ip_http_port"]))
    assert done.returncode == 1, done.stderr


def test_a_file_made_by_a_refused_start_stays(make_box: Callable[..., Box]) -> None:
    box = make_box()
    first_start(box, make_box())
    assert box.stored()["ip_http_port"] == "80"
    ElementTree.fromstring(box.pbx_xml.read_bytes())  # noqa: S314


def test_setup_json_seeds_identity_and_not_ports(make_box: Callable[..., Box]) -> None:
    box = make_box()
    digest = hashlib.md5(b"seeded", usedforsecurity=False).hexdigest()
    seeds = {"sys_name": "<Seeded>", "pw_user": "root", "pw_pass": digest, "own": "1"}
    setup = box.directory / "setup.json"
    setup.write_text(json.dumps({"settings": seeds | {"ip_http_port": "1.2.3.4:80"}}))
    first_start(box, make_box())
    assert {name: box.stored()[name] for name in seeds} == seeds
    assert f'<pw_pass encrypted="true">{digest}</pw_pass>' in box.pbx_xml.read_text()
    assert box.stored()["ip_http_port"] == "80"
    assert setup.exists()


def test_setup_json_is_ignored_beside_a_pbx_xml(box: Box) -> None:
    (box.directory / "setup.json").write_text('{"settings": {"sys_name": "seeded"}}')
    box.start()
    assert json.loads(box.get(CONFIG).body)["sys_name"] == "test"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": []}', '{"settings": {"a": []}}'])
def test_a_wrong_setup_json_is_no_start(make_box: Callable[..., Box], text: str) -> None:
    box = make_box()
    (box.directory / "setup.json").write_text(text)
    done = box.run()
    assert done.returncode == 1
    assert "setup.json" in done.stderr
    assert not box.pbx_xml.exists()
