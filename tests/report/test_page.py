"""The report page as a document: what it says is true to scale, it asks nobody, and it can be read."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html

from pbxfleet.core.paths import HostPath
from pbxfleet.model.host_map import Run, Use
from pbxfleet.model.picture import FleetPicture, HostLook
from pbxfleet.model.plan import Change, FieldDelta, Status, Verb, Waiting
from pbxfleet.model.target import Impact, Kind
from pbxfleet.plan.make import empty_plan
from pbxfleet.report.html import Markup, element
from pbxfleet.report.page import page
from pbxfleet.report.page_slots import ALL_UP_TO, cells
from support.e2e import in_process
from support.report_fleets import HOSTILE, page_of, picture_of, write, write_fleet

SIZES = {"empty": (0, 0), "idle": (1, 0), "small": (1, 3), "pair": (2, 5)}
STYLE = "p { color: #000000; }"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Fleets of several sizes."""
    return {name: write_fleet(tmp_path_factory.mktemp(name), *size) for name, size in SIZES.items()}


@pytest.fixture(params=SIZES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def document(folders: dict[str, Path], name: str) -> html.HtmlElement:
    return html.document_fromstring(page_of(folders[name]))


def test_everything_is_in_the_page(folders: dict[str, Path], name: str) -> None:
    text = page_of(folders[name]).decode()
    assert not re.search(r"https?:|//|@import|src=|<script|<link|style=", text)
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {
        f"#p-{use}" for use in ("reserved", "foreign", "system", "own")
    }
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    inside = re.search("<style>(.*?)</style>", text, re.S)
    assert policy and inside
    digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
    said = "default-src &#x27;none&#x27;; style-src &#x27;sha256-" + digest + "&#x27;"
    assert policy[1].startswith(said)


def test_ids_are_unique_and_links_lead_somewhere(document: html.HtmlElement) -> None:
    ids = document.xpath("//@id")
    assert len(ids) == len(set(ids))
    links = [href.removeprefix("#") for href in document.xpath("//@href")]
    named = " ".join(document.xpath("//@aria-labelledby")).split()
    assert links and set(links) | set(named) <= set(ids)


def test_it_has_an_order_that_can_be_heard(document: html.HtmlElement) -> None:
    assert document.get("lang") == "en"
    assert len(document.xpath("//h1")) == len(document.xpath("//main")) == 1
    levels = [int(h.tag[1]) for h in document.xpath("//h1|//h2|//h3|//h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert document.xpath("//body/*[1]/@href") == ["#content"]
    for table in document.xpath("//table"):
        assert table.xpath("caption")[0].text_content()
        assert table.xpath("thead//th/@scope") == ["col"] * len(table.xpath("thead//th"))
        for row in table.xpath("tbody/tr"):
            assert [cell.get("scope") for cell in row if cell.tag == "th"] == ["row"]
    for drawing in document.xpath("//svg"):
        if drawing.get("aria-hidden") == "true":
            continue
        assert drawing.get("role") == "img"
        titles = [part.text_content() for part in drawing if part.tag in ("title", "desc")]
        assert len(titles) == 2 and all(titles)
    for landmark in document.xpath("//section|//nav"):
        assert landmark.get("aria-labelledby") or landmark.get("aria-label")


def boxes(shapes: list[html.HtmlElement], *extent: str) -> Iterator[tuple[float, ...]]:
    for shape in shapes:
        yield tuple(float(shape.get(name).removesuffix("%")) for name in extent)


def disjoint(intervals: list[tuple[float, ...]]) -> bool:
    found = sorted(intervals)
    return all(a[0] + a[1] <= b[0] + 1e-3 for a, b in pairwise(found))


def test_rtp_ports_are_in_scale(folders: dict[str, Path]) -> None:
    picture = picture_of(folders["pair"])
    document = html.document_fromstring(page(picture, STYLE))
    for host in picture.hosts:
        ports = host.map.rtp
        assert ports is not None
        section = document.get_element_by_id(f"host:{host.map.host}")
        drawn = section.xpath(".//svg[@class='ports']")
        assert {bar.get("viewbox") for bar in drawn} == {f"{ports.first} 0 {ports.size} 1"}
        bars = list(boxes([bar[0] for bar in drawn], "x", "width"))
        asked = [i.rtp for i in host.map.instances if i.rtp]
        assert bars == [(first, last - first + 1) for first, last in asked]
        assert disjoint(bars)
        band = list(boxes(section.xpath(".//svg[@class='axis']/rect"), "x", "width"))
        kept = [run for run in ports.runs if run.use is not Use.FREE]
        for (x, width), run in zip(band, kept, strict=True):
            assert x == pytest.approx((run.first - ports.first) / ports.size * 100, abs=1e-3)
            assert width == pytest.approx(run.size / ports.size * 100, abs=1e-3)
        assert disjoint(band)
        for tick in section.xpath(".//svg[@class='axis']/text"):
            place = (int(tick.text) - ports.first) / ports.size * 100
            assert next(boxes([tick], "x"))[0] == pytest.approx(place, abs=1e-3)


def test_slots_are_equal_cells_on_a_grid(folders: dict[str, Path]) -> None:
    picture = picture_of(folders["pair"])
    document = html.document_fromstring(page(picture, STYLE))
    for host in picture.hosts:
        section = document.get_element_by_id(f"host:{host.map.host}")
        drawn = section.xpath(".//svg[@class='cells']")
        maps = [*(found.runs for found in host.map.addresses), host.map.cores]
        for drawing, runs in zip(drawn, maps, strict=True):
            shapes = drawing.xpath("g/rect[1]")
            assert len(shapes) == sum(run.size for run in runs)
            found = list(boxes(shapes, "x", "y", "width", "height"))
            assert len(set(found)) == len(found)
            assert len({box[2:] for box in found}) == 1
            uses = [g.get("class") for g in drawing.xpath("g")]
            assert uses == [str(run.use) for run in runs for _ in range(run.size)]
            width, height = map(int, drawing.get("viewbox").split()[2:])
            assert max(x + w for x, _, w, _ in found) <= width
            assert max(y + h for _, y, _, h in found) <= height
            # Cells fill the width of the drawing with the same small gap all around, row by row.
            across, down = found[0][2] + 2, found[0][3] + 2
            columns = width / across
            assert columns == int(columns) >= 4
            places = [
                (at % columns * across + 1, at // columns * down + 1) for at in range(len(found))
            ]
            assert [box[:2] for box in found] == places
            assert height == -(-len(found) // int(columns)) * down


def test_what_waits_is_shown_with_its_moment(folders: dict[str, Path]) -> None:
    picture = picture_of(folders["pair"])
    host = picture.hosts[0]
    name = host.map.instances[0].name
    delta = FieldDelta("sys_name", "old", "new", Status.PENDING, "")
    change = Change(
        f"settings:/usr/local/{name}/pbx.xml",
        Kind.SETTINGS,
        name,
        HostPath(f"/usr/local/{name}/pbx.xml"),
        Status.PENDING,
        Verb.UPDATE,
        Impact.RESTART,
        "declared, not applied yet",
        (delta,),
        (),
    )
    text = "waits for its window: next Mon 02:00 (in 3 h)"
    waits = (Waiting(name, "2026-11-23T02:00:00Z", text, (change,)),)
    plan = empty_plan(host.map.host, "/")._replace(waits=waits)
    look = HostLook(("a plan",), plan, None, None)
    shown = picture._replace(hosts=(host._replace(look=look), *picture.hosts[1:]))
    document = html.document_fromstring(page(shown, STYLE))
    section = document.get_element_by_id(f"host:{host.map.host}")
    said = " ".join(section.text_content().split())
    assert "Waits for its window: next Mon 02:00 (in 3 h) (2026-11-23T02:00:00Z)" in said
    (row,) = section.xpath(".//table[contains(@class, 'pending')]/tbody/tr")
    assert [name, "old", "new"] == [
        word for word in (name, "old", "new") if word in row.text_content()
    ]
    whole = " ".join(document.text_content().split())
    assert f"waiting for a window: {host.map.host} (1 instance)" in whole
    assert f"declared and not applied yet: {host.map.host} (1 change)" in whole


def test_tenants_of_a_core_are_as_long_as_they_are_many(folders: dict[str, Path]) -> None:
    picture = picture_of(folders["pair"])
    document = html.document_fromstring(page(picture, STYLE))
    for host in picture.hosts:
        section = document.get_element_by_id(f"host:{host.map.host}")
        counts = [len(i.tenants) for i in sorted(host.map.instances, key=lambda i: i.cpu or 0)]
        full = next(boxes(section.xpath(".//rect[@class='track']"), "width"))[0]
        widths = [w for (w,) in boxes(section.xpath(".//rect[@class='tenants']"), "width")]
        assert widths == pytest.approx([full * c / max(counts) for c in counts], abs=1e-3)


def test_shares_of_a_host_are_in_scale(folders: dict[str, Path]) -> None:
    picture = picture_of(folders["pair"])
    document = html.document_fromstring(page(picture, STYLE))
    for host in picture.hosts:
        section = document.get_element_by_id(f"host:{host.map.host}")
        drawn = section.xpath(".//svg[@class='stack']")
        for drawing, supply in zip(drawn, host.capacity.supplies, strict=True):
            assert drawing.get("viewbox") == f"0 0 {supply.total} 1"
            parts = list(boxes(list(drawing), "x", "width"))
            shown = [n for n in (supply.used, supply.reserved, supply.gone) if n]
            assert [width for _, width in parts] == shown
            assert disjoint(parts)


def test_a_long_run_is_cut_and_says_so() -> None:
    runs = (
        Run(10, 12, Use.USED, ("a",)),
        Run(13, 13 + 2**64, Use.FREE),
        Run(2**65, 2**65, Use.OWN),
    )
    found = list(cells(runs))
    assert [cell.hidden for cell in found] == [0] * 6 + [2**64 + 1 - 3, 0]
    few = (Run(1, ALL_UP_TO, Use.FREE),)
    assert len(list(cells(few))) == ALL_UP_TO


def test_what_people_write_stays_text(tmp_path: Path) -> None:
    write_fleet(tmp_path, 1, 2)
    path = tmp_path / "desired/hosts/node00.toml"
    text = path.read_text(encoding="utf-8")
    write(path, text.replace("promised to a partner", HOSTILE))
    picture = picture_of(tmp_path)
    text = page(picture._replace(name="a\u202e\x07"), STYLE).decode()
    assert "<script" not in text and text.count("&lt;script&gt;") >= 2
    assert "\u202e" not in text and "\x07" not in text and "a\\u202e\\x07" in text


def test_elements() -> None:
    assert element("p", "a & b", None, [1, Markup("<b>")]) == "<p>a &amp; b1<b></p>"
    quoted = element("a", href='"x"', class_="c", open=True, hidden=False, data_label=None, at=1.5)
    assert quoted == '<a href="&quot;x&quot;" class="c" open at="1.5"></a>'
    assert element("rect", x=1) == '<rect x="1"/>'
    assert element("rect", element("title", "\x1b[2J")) == "<rect><title>\\x1b[2J</title></rect>"
    assert element("br") == "<br>"


def test_the_same_fleet_gives_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    written = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        out = tmp_path / f"{seed}.html"
        subprocess.run(
            (sys.executable, "-m", "pbxfleet", "-C", str(folders["pair"]), "report", "--out", out),
            check=True,
            capture_output=True,
            timeout=120,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        )
        written.append(out.read_bytes())
    assert written[0] == written[1] == page_of(folders["pair"])


def test_a_host_that_was_never_compiled_or_has_changed_is_named(tmp_path: Path) -> None:
    write_fleet(tmp_path, 2, 2)
    words = ("-C", str(tmp_path), "--json", "report", "--out", str(tmp_path / "x.html"))

    def urgent() -> list[str]:
        data = in_process(*words).data
        assert data["written"] == str(tmp_path / "x.html")
        return [one["text"] for one in data["attention"] if one["urgency"] == "now"]

    assert urgent() == ["rendered/ of node00 and node01 was never compiled"]
    for name in ("pbxctrl", "pbxctrl.dat"):
        write(tmp_path / "artefacts" / name, "")
    assert in_process("-C", str(tmp_path), "compile").code == 0
    assert urgent() == []
    path = tmp_path / "desired/instances/pbx01-01.toml"
    write(path, path.read_text(encoding="utf-8") + "# changed\n")
    assert urgent() == ["rendered/ of node01 is not what desired/ says now"]
    (tmp_path / "rendered/node00/manifest.json").write_text("{}", encoding="utf-8")
    assert "node00" in urgent()[0]


def test_only_what_was_asked_for_is_shown(folders: dict[str, Path]) -> None:
    done = in_process("-C", str(folders["pair"]), "report", "node01")
    assert done.code == 0
    document = html.document_fromstring(done.out.encode())
    assert document.xpath("//section[@class='host']/@id") == ["host:node01"]
    assert "1 of 2 hosts" in document.get_element_by_id("sources").text_content()


def test_the_picture_of_an_empty_fleet_has_no_host(folders: dict[str, Path]) -> None:
    picture = picture_of(folders["empty"])
    assert isinstance(picture, FleetPicture) and picture.hosts == ()
    assert "No host is declared yet" in page(picture, STYLE).decode()
