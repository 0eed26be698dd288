"""The report in a real browser, from disk: what it does, what it asks for, what it looks like."""

import shutil

import numpy as np
import pytest
from reports import CLASSES, Report

from texalign.geometry import ward

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = (
    *("index.html", "networks.html", "map.html", "networks/net/L1.html"),
    *("more/statistics.html", "more/people.html", "more/provenance.html"),
)
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no chromium on this machine")
    with sync_api.sync_playwright() as play:
        # As root, chromium starts without its sandbox only; it opens nothing but files of ours.
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return Report(tmp_path_factory.mktemp("pages") / "report")


class Visit:
    """A page, and what went wrong on it."""

    def __init__(self, browser, report, width=1280, **options):
        self.folder, self.faults, self.asked = report.folder, [], []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        self.page.on("console", lambda said: self.faults.append(said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self.faults.append(request.url))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.page.close()
        if kind is None:
            assert self.faults == []
            outside = [url for url in self.asked if not url.startswith((f"file://{self.folder}/", "data:"))]
            assert outside == []

    def open(self, name):
        self.page.goto(f"file://{self.folder}/{name}")
        return self.page


@pytest.fixture
def at_layer(browser, report):
    with Visit(browser, report) as visit:
        yield visit.open("networks/net/L1.html")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_a_fault_and_fits(browser, report, name, width):
    with Visit(browser, report, width) as visit:
        page = visit.open(name)
        assert page.title() != "broken"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("h1").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault(browser, report, name, scheme):
    with Visit(browser, report, color_scheme=scheme) as visit:
        # To load the styles anew, as it would, is what a page from disk may not.
        found = axe.Axe().run(visit.open(name), options={"preload": False}).response["violations"]
    serious = [
        (fault["id"], [node["html"][:200] for node in fault["nodes"][:3]])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []


def middle(page, selector, i, j, side):
    """Where on the page the middle of an entry is."""
    box = page.locator(f"{selector} canvas").bounding_box()
    left = 0.2 if box["width"] * 0.2 < 130 else 130 / box["width"]
    return [
        box[corner] + box["width"] * (left + (1 - left) * (at + 0.5) / side)
        for corner, at in (("x", j), ("y", i))
    ]


def hovered(page, selector, i, j, side):
    page.locator(f"{selector} canvas").scroll_into_view_if_needed()
    page.mouse.move(*middle(page, selector, i, j, side))
    page.wait_for_function(
        f"document.querySelector('{selector} canvas').dataset.entry === '{i},{j}'", timeout=5000
    )
    return page.locator(f"{selector} .reading")


@pytest.mark.parametrize(("i", "j"), [(0, 1), (3, 29), (29, 3), (35, 34), (12, 12)])
def test_the_hovered_distance_is_that_of_the_rdm(at_layer, report, i, j):
    reading = hovered(at_layer, "#rdm", i, j, 36)
    shown = float(reading.locator("strong").get_attribute("data-distance"))
    np.testing.assert_allclose(shown, report.square[i, j], rtol=1e-4)
    told = reading.inner_text()
    for texture in (i, j):
        assert " ".join(report.files[texture].split()) in " ".join(told.split())
    labels = [thumb.get_attribute("aria-label") for thumb in reading.locator(".thumb").all()]
    assert [label.partition(", class ")[0] for label in labels] == [report.files[i], report.files[j]]


def test_the_hovered_mean_is_that_of_the_classes(at_layer, report):
    reading = hovered(at_layer, "#class-means", 1, 4, 6)
    block = report.square[6:12, 24:30]
    shown = float(reading.locator("strong").get_attribute("data-distance"))
    np.testing.assert_allclose(shown, block.mean(), rtol=1e-6)


def test_zoom_and_keys_move_through_the_matrix(at_layer, report):
    page = at_layer
    canvas = page.locator("#rdm canvas")
    hovered(page, "#rdm", 0, 0, 36)
    before = canvas.screenshot()
    page.get_by_role("button", name="Zoom in").first.click()
    assert canvas.screenshot() != before
    canvas.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert canvas.get_attribute("data-entry") == "2,11"
    shown = float(page.locator("#rdm .reading strong").get_attribute("data-distance"))
    np.testing.assert_allclose(shown, report.square[2, 11], rtol=1e-4)


@pytest.mark.parametrize(("name", "selector"), [("networks/net/L1.html", "#rdm"), ("map.html", "#map")])
def test_two_fingers_and_the_wheel_zoom(browser, report, name, selector):
    with Visit(browser, report, 390, has_touch=True) as visit:
        page = visit.open(name)
        canvas = page.locator(f"{selector} canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"]
        session = page.context.new_cdp_session(page)
        for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60), ("touchEnd", None)):
            ends = [] if apart is None else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": ends})
        page.wait_for_selector(f"{selector} canvas[data-zoom]")
        assert float(canvas.get_attribute("data-zoom")) == pytest.approx(3, rel=0.2)
        page.mouse.move(x, y)
        page.mouse.wheel(0, -300)
        page.wait_for_function(f"Number(document.querySelector('{selector} canvas').dataset.zoom) > 6")


def test_the_tab_key_goes_through_the_page_in_its_order(at_layer):
    page = at_layer
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen, at = [], ""
    while at != "search":
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.id || document.activeElement.textContent")
        top = page.evaluate("document.activeElement.getBoundingClientRect().top + scrollY")
        seen.append(top)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", at
        assert len(seen) < 400
    assert seen == sorted(seen)


@pytest.mark.parametrize("k", [1, 2, 6, 20])
def test_the_slider_cuts_the_tree_as_the_library_does(at_layer, report, k):
    page = at_layer
    page.locator("#k").fill(str(k))
    page.wait_for_function(f"document.querySelectorAll('#clusters .cluster').length === {k}")
    clusters = ward.cut(report.tree, k)
    assert page.evaluate(f"texalign.cut({k})") == clusters.tolist()
    for number, section in enumerate(page.locator("#clusters .cluster").all()):
        more = section.locator(".more")
        if more.count():
            more.click()
        shown = [int(thumb.get_attribute("data-texture")) for thumb in section.locator(".thumb").all()]
        assert shown == np.flatnonzero(clusters == number).tolist()


def test_search_finds_and_a_click_shows_the_nearest(at_layer, report):
    page = at_layer
    page.locator("#search").fill(f"{CLASSES[0]}/")
    found = page.locator("#found .thumb")
    assert found.count() == 6
    found.nth(2).click()
    texture = int(page.locator("#neighbours").get_attribute("data-texture"))
    assert report.files[texture].startswith(CLASSES[0])
    items = page.locator("#neighbours ol li").all()
    shown = [int(item.get_attribute("data-texture")) for item in items]
    distances = [float(item.get_attribute("data-distance")) for item in items]
    order = [j for j in np.argsort(report.square[texture], kind="stable") if j != texture]
    assert shown == order[:24]
    np.testing.assert_allclose(distances, report.square[texture][shown], rtol=1e-4)


def test_a_heading_sorts_and_what_is_empty_stays_below(browser, report):
    with Visit(browser, report) as visit:
        page = visit.open("networks.html")
        cells = page.locator("tbody td:nth-child(2)")
        head = page.get_by_role("button", name="bits")
        head.click()
        assert cells.all_inner_texts() == ["10", "5", "3", "2", "−1", ""]
        head.click()
        assert cells.all_inner_texts() == ["−1", "2", "3", "5", "10", ""]
        assert page.locator("th[aria-sort=ascending]").count() == 1
        page.get_by_role("button", name="network").click()
        names = page.locator("tbody td:first-child").all_text_contents()
        assert len(set(names)) == 6


def test_thumbnails_show_their_texture(at_layer, report):
    """The picture that a texture's thumbnail cuts from its sheet is the one at its place."""
    place = at_layer.evaluate("[0, 17, 35].map((i) => texalign.place(i))")
    assert [(p["sheet"], p["row"], p["column"]) for p in place] == [(0, 0, 0), (0, 1, 1), (0, 2, 3)]


def test_many_textures_are_read_as_means(browser, tmp_path):
    report = Report(tmp_path / "report", side=10)
    with Visit(browser, report) as visit:
        page = visit.open("networks/net/L1.html")
        reading = hovered(page, "#rdm", 2, 7, 10)
        edges = np.linspace(0, 36, 11).round().astype(int)
        block = report.square[edges[2] : edges[3], edges[7] : edges[8]]
        shown = float(reading.locator("strong").get_attribute("data-distance"))
        np.testing.assert_allclose(shown, block.mean(), rtol=1e-4)
        assert f"{len(block)} × {block.shape[1]} textures" in reading.inner_text()


def test_the_map_tells_what_lies_where(browser, report):
    with Visit(browser, report) as visit:
        page = visit.open("map.html")
        page.wait_for_selector("#map canvas[data-network=net]")
        page.locator("#map canvas").scroll_into_view_if_needed()
        box = page.locator("#map canvas").bounding_box()
        for texture in (0, 20):
            x, y = (report.places[texture] / 65535 + 0.03) / 1.06
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_selector(f"#map canvas[data-texture='{texture}']")
            label = page.locator("#map .reading .thumb").get_attribute("aria-label")
            assert label.startswith(report.files[texture])
        before = page.locator("#map canvas").screenshot()
        for control, choice in (("#colour", "cluster"), ("#only", "2")):
            page.locator(control).select_option(choice)
            after = page.locator("#map canvas").screenshot()
            assert after != before
            before = after
        page.locator("#network").select_option("other")
        page.wait_for_selector("#map canvas[data-network=other]")


def test_without_scripts_the_answer_and_the_confused_classes_stand(browser, report):
    with Visit(browser, report, java_script_enabled=False) as visit:
        page = visit.open("index.html")
        assert page.locator(".answer li").count() == 2
        assert page.locator("figure img").is_visible()
        page = visit.open("networks/net/L1.html")
        assert page.locator("table.pairs tbody tr").count() == len(report.pairs)
