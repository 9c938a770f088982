"""The report page in a real browser: quiet, readable on every screen, in both schemes, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.app.report import style
from pbxfleet.report.page import page
from support.browser import Browser, browser
from support.looked import with_look
from support.report_fleets import page_of, picture_of, write_fleet, write_long_names
from support.tree import ROOT

SIZES = {"empty": (0, 0), "small": (1, 3), "large": (40, 25)}
WIDTHS = (390, 768, 1121, 1249, 1280)
LARGEST_BYTES = 3_000_000
SHOWN_WITHIN_S = 2.0
PICTURE = (1280, 1046)  # in pixels

# The lowest contrast of every text that can be seen, with the text; WCAG 2.2, 1.4.3. A text of a
# drawing stands on the shapes of its own group, where a filling has two colours.
CONTRAST = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => {
    const [x, y] = [light(rgb(a)), light(rgb(b))].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (rgb(colour)[3] === 255) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const filling = shape => {
    const fill = getComputedStyle(shape).fill, name = fill.match(/url\\("#(.*)"\\)/);
    if (!name) return [fill];
    return [...document.getElementById(name[1]).children].map(c => getComputedStyle(c).fill);
  };
  const worst = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), parent = walker.currentNode.parentElement;
    if (!text || !parent.checkVisibility() || parent.closest("title, desc, style")) continue;
    const style = getComputedStyle(parent), svg = parent.closest("svg");
    const shape = svg && parent.parentElement.querySelector(":scope > rect");
    const colour = svg ? style.fill : style.color;
    const grounds = shape && svg.classList.contains("cells") ? filling(shape) : [ground(parent)];
    for (const one of grounds) {
      const found = ratio(colour, one), key = `${colour} on ${one}`;
      if (found < 4.5) worst[key] = `${found.toFixed(2)}: ${text.slice(0, 30)}`;
    }
  }
  return worst;
})()
"""
# What is wider than the screen, or cut off by it.
TOO_WIDE = """
[document.scrollingElement.scrollWidth > innerWidth ? "the page" : "",
 ...[...document.querySelectorAll("main *, header *, nav *")]
   .filter(e => e.checkVisibility() && !e.closest("thead, caption, defs"))
   .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
   .map(e => `${e.tagName} ${e.textContent.slice(0, 30)}`)].filter(Boolean).slice(0, 5)
"""
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of fleets of three sizes, and of the example fleet of which a host was looked at."""
    found = {}
    for name, size in SIZES.items():
        folder = tmp_path_factory.mktemp(name)
        found[name] = folder / "page.html"
        found[name].write_bytes(page_of(write_fleet(folder, *size)))
    found["long"] = tmp_path_factory.mktemp("long") / "page.html"
    found["long"].write_bytes(page_of(write_long_names(found["long"].parent)))
    found["example"] = tmp_path_factory.mktemp("example") / "page.html"
    found["example"].write_bytes(page(with_look(picture_of(ROOT)), style()))
    return found


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.mark.parametrize("name", [*SIZES, "long", "example"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_asks_nobody_and_fits_every_screen(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    chromium.open(pages[name], width)
    if name != "large":
        chromium.evaluate(OPEN_ALL)
    else:  # one host is like the other
        chromium.evaluate("document.querySelector('details').open = true")
    assert chromium.evaluate(TOO_WIDE) == []
    assert chromium.requests == [pages[name].as_uri()]
    assert chromium.messages == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast(chromium: Browser, pages: dict[str, Path], dark: bool) -> None:
    for name in ("empty", "small", "example"):
        chromium.open(pages[name], dark=dark)
        chromium.evaluate(OPEN_ALL)
        assert chromium.evaluate(CONTRAST) == {}
    ground = chromium.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground < "rgb(2") == dark


def test_contrast_is_really_looked_at(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["small"])
    chromium.evaluate("document.querySelector('h1').style.color = '#999'")
    assert list(chromium.evaluate(CONTRAST).values()) == ["2.66: example"]


def test_a_screen_reader_has_landmarks_names_and_tables(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    for width in (1280, 390):  # rows that become cards stay rows
        chromium.open(pages["small"], width)
        chromium.evaluate(OPEN_ALL)
        nodes = chromium.accessible()
        roles = [node["role"]["value"] for node in nodes]
        assert {"banner", "navigation", "main", "heading", "image", "table", "row"} <= {*roles}
        assert roles.count("main") == roles.count("banner") == 1
        assert roles.count("rowheader") >= 5
        for node in nodes:
            if node["role"]["value"] in ("link", "heading", "image", "table", "region"):
                assert node.get("name", {}).get("value"), node


def test_the_keyboard_leads_through_the_page(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["small"])
    where = "[document.activeElement.className || document.activeElement.tagName,"
    where += "getComputedStyle(document.activeElement).outlineStyle,"
    where += "document.activeElement.getBoundingClientRect().left >= 0]"
    chromium.press("Tab")
    assert chromium.evaluate(where) == ["skip", "solid", True]
    seen = set()
    for _ in range(30):
        chromium.press("Tab")
        tag, outline, visible = chromium.evaluate(where)
        if tag not in ("BODY", "skip"):
            seen.add(tag)
            assert (outline, visible) == ("solid", True)
    assert seen == {"A", "SUMMARY"}
    chromium.evaluate("document.querySelector('summary').focus()")
    before = chromium.evaluate("document.querySelector('details').open")
    chromium.press("Enter")
    assert chromium.evaluate("document.querySelector('details').open") == (not before)


def test_on_paper_nothing_is_folded(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["large"], media="print")
    shown = "getComputedStyle(document.querySelector('nav')).display"
    assert chromium.evaluate(shown) == "none"
    height = "document.querySelector('details:not([open]) table').getBoundingClientRect().height"
    assert chromium.evaluate(height) > 100
    chromium.open(pages["example"], 718, media="print")  # A4 without its margins
    assert chromium.evaluate(TOO_WIDE) == []
    assert chromium.printed().startswith(b"%PDF-")


def test_a_large_fleet_is_small_and_quick(chromium: Browser, pages: dict[str, Path]) -> None:
    assert pages["large"].stat().st_size < LARGEST_BYTES
    times = []
    for _ in range(3):
        chromium.open(pages["large"])
        laid_out = "(document.body.offsetHeight, performance.now() / 1000)"
        times.append(chromium.evaluate(laid_out))
    assert min(times) < SHOWN_WITHIN_S


def test_bars_are_in_scale_on_the_screen(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["small"])
    found = chromium.evaluate("""
      [...document.querySelectorAll("svg.ports")].map(svg => {
        const [first, , size] = svg.getAttribute("viewBox").split(" ").map(Number);
        const whole = svg.getBoundingClientRect(), bar = svg.querySelector("rect");
        const shown = bar.getBoundingClientRect();
        return [(shown.left - whole.left) / whole.width, shown.width / whole.width,
          (bar.getAttribute("x") - first) / size, bar.getAttribute("width") / size];
      })
    """)
    assert len(found) == 3
    for x, width, wanted_x, wanted_width in found:
        assert (x, width) == pytest.approx((wanted_x, wanted_width), abs=0.005)


def test_what_is_folded_is_found(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["large"])
    assert chromium.evaluate("document.querySelectorAll('details[open]').length") == 0
    chromium.open(pages["small"])
    chromium.evaluate("document.querySelector('details').open = false")
    assert chromium.evaluate("window.find('a.pbx00-02.example.com')")
    assert not chromium.evaluate("window.find('a.pbx00-03.example.com')")


def test_the_picture_in_the_documents(
    chromium: Browser, tmp_path: Path, update_golden: bool
) -> None:
    """Fonts differ from machine to machine, so that only its form is compared."""
    path = ROOT / "docs/how-to/report.png"
    shown = tmp_path / "example.html"
    shown.write_bytes(page_of(ROOT))
    chromium.open(shown)
    found = chromium.picture(*PICTURE)
    if update_golden:
        path.write_bytes(found)
    kept = path.read_bytes()
    assert len(kept) < 150_000
    assert kept[:26] == found[:26]  # the signature of PNG, its size, its depth and kind of colour
