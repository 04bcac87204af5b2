"""The page of HTML, in a browser: what a user clicks, types and points at."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from drawing import hostile
from playwright.sync_api import Browser, Page, expect

import archspec
from archspec.drawing import picture
from archspec.drawing.page import asset

WEB = Path(__file__).parent.parent.parent / "web"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails the test when a script fails, a policy is violated, or anything is asked of the network."""
    context = chromium.new_context(viewport={"width": 1360, "height": 860})
    made = context.new_page()
    made.set_default_timeout(10_000)
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    made.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file:") else None)
    yield made
    context.close()
    assert wrong == []


def shown(page: Page, folder: Path, *names: str) -> None:
    archspec.render([archspec.load(name).elaborate() for name in names], folder / "net.html")
    page.goto(f"file://{folder / 'net.html'}")


def box(page: Page, path: str, network: int = 0) -> str:
    return f'.box[data-path="{path}"][data-network="{network}"]'


def test_it_is_one_file_that_allows_nothing_from_outside(tmp_path: Path) -> None:
    text = picture(archspec.load("alexnet").elaborate(), "html").decode()
    assert "default-src 'none'" in text
    assert "unsafe" not in text
    assert not re.search(r"""(src|href)\s*=\s*["']""", text[: text.index("<script")])


def test_blocks_open_and_close(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2")
    row = page.locator(box(page, "row_4"))
    inner = page.locator(box(page, "row_4/bottleneck_1"))
    expect(inner).to_have_count(0)
    row.click(position={"x": 40, "y": 8})
    expect(inner).to_have_count(1)
    expect(row).to_have_attribute("aria-expanded", "true")
    inner.click(position={"x": 40, "y": 8})
    expect(page.locator(box(page, "row_4/bottleneck_1/dwconv"))).to_contain_text("dwconv 3×3, /2")
    row.click(position={"x": 40, "y": 8})
    expect(inner).to_have_count(0)


def test_levels_and_folding(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "resnet152")
    page.get_by_role("button", name="Blocks", exact=True).click()
    page.get_by_role("button", name="Fit").click()
    expect(page.locator(".times", has_text="×35")).to_have_count(1)
    folded = page.locator(".box").count()
    page.locator(".times", has_text="×35").dispatch_event("click")
    page.get_by_role("button", name="Fit").click()
    assert page.locator(".box").count() == folded + 34
    page.locator(".times", has_text=re.compile("^1/35")).dispatch_event("click")
    page.get_by_role("button", name="Fit").click()
    assert page.locator(".box").count() == folded


def test_what_differs_in_the_passes_of_a_box_is_said(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "densenet121")
    page.get_by_role("button", name="Layers", exact=True).click()
    page.get_by_role("button", name="Fit").click()
    row = page.locator('.box[data-row="row_9"]')
    expect(row.filter(has_text="conv 1×1, 128")).to_contain_text("33.3K–129K params · 6.42M–24.9M MACs")
    expect(row.filter(has_text="dense(32)")).to_contain_text("2.84M params · 549M MACs")
    expect(row.filter(has_text="conv 3×3, 32")).to_contain_text("37.1K params · 7.23M MACs")


def test_what_follows_itself_in_a_body_is_one_box(page: Page, tmp_path: Path) -> None:
    text = "arch 1 network N { input 8 x 8 x 16 body conv(3, 16) * 1000 }"
    archspec.render(archspec.parse(text).elaborate(), tmp_path / "net.html")
    page.goto(f"file://{tmp_path / 'net.html'}")
    expect(page.locator(".box")).to_have_count(3)
    expect(page.locator(".times")).to_have_text(re.compile("^×1000"))
    page.locator('tr[data-row="conv_5"]').hover()
    expect(page.locator(".box.lit")).to_have_attribute("data-path", "conv_1")


def test_the_pointer_is_told_shape_counts_receptive_field_and_row(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2")
    page.locator(box(page, "row_1")).hover()
    card = page.locator(".card")
    for said in ("112²×32", "928", "10,838,016", "3×3 pixels", "Operator conv2d · t - · c 32 · n 1 · s 2"):
        expect(card).to_contain_text(said)


def test_the_row_and_its_boxes_are_marked_both_ways(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2")
    page.locator(box(page, "row_3")).hover()
    expect(page.locator('tr[data-row="row_3"]')).to_have_class("lit")
    page.locator('tr[data-row="row_5"]').hover()
    expect(page.locator(".box.lit")).to_have_attribute("data-path", "row_5")
    expect(page.locator("tr.lit")).to_have_attribute("data-row", "row_5")
    page.locator('tr[data-row="row_11"]').click()
    expect(page.locator(box(page, "row_11"))).to_be_in_viewport()


def test_the_table_is_the_specs_own_with_bars(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2")
    assert page.locator("thead th").all_inner_texts() == [
        "Input", "Operator", "t", "c", "n", "s", "MACs", "params", "activations",
    ]  # fmt: skip
    assert page.locator("tbody tr").count() == 11
    widths = page.locator(".bar.macs").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
    assert max(widths) == 100
    assert widths[5] == 100


def test_search_opens_what_it_finds(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "inception_v3")
    page.keyboard.press("/")
    page.keyboard.type("conv 7×1, 160")
    expect(page.locator(".hits")).to_have_text("4 found")
    page.keyboard.press("Enter")
    expect(page.locator(".hits")).to_have_text("1 of 4")
    expect(page.locator(".box.found").first).to_be_in_viewport()
    expect(page.locator(".card")).to_contain_text("conv 7×1, 160")
    page.keyboard.press("Escape")
    expect(page.locator(".hits")).to_have_text("")
    page.keyboard.press("/")
    page.keyboard.type("conv 7x1, 160")
    expect(page.locator(".hits")).to_have_text("4 found")


def test_it_can_be_walked_with_the_keyboard(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2")
    page.locator(box(page, "row_1")).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(box(page, "row_3"))).to_have_attribute("aria-expanded", "true")
    expect(page.locator(":focus")).to_have_attribute("data-path", "row_3")
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("data-path", "row_3/bottleneck_1")
    expect(page.locator(".card")).to_contain_text("bottleneck(6, 24, 2)")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(box(page, "row_3"))).to_have_attribute("aria-expanded", "false")


def test_it_pans_and_zooms(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2")
    layer = page.locator("svg.diagram > g")
    before = layer.get_attribute("transform")
    page.mouse.move(600, 500)
    page.mouse.wheel(0, 200)
    expect(layer).not_to_have_attribute("transform", before or "")
    page.get_by_role("button", name="Zoom in").click()
    zoomed = layer.get_attribute("transform") or ""
    assert float(zoomed.rpartition("scale(")[2].rstrip(")")) > float((before or "").rpartition("scale(")[2].rstrip(")"))


def test_light_and_dark(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "alexnet")
    grounds = set()
    for _ in range(2):
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.get_by_role("button", name="Light or dark").click()
    assert len(grounds) == 2


def test_networks_side_by_side_share_stages(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "vgg16", "mobilenet_v2")
    page.get_by_role("button", name="Fit").click()
    expect(page.locator("text.band", has_text="1/16")).to_have_count(1)
    expect(page.locator("table.stages tr.total")).to_have_count(2)
    tops = [page.locator(box(page, path, i)).bounding_box() for i, path in enumerate(("row_11", "row_4"))]
    assert tops[0] is not None and tops[1] is not None  # noqa: PT018
    assert abs(tops[0]["y"] - tops[1]["y"]) < 2


def test_branches_stand_in_the_order_of_the_spec(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "googlenet")
    page.locator(box(page, "row_5")).dispatch_event("click")
    names = ("conv 1×1, 64", "conv 3×3, 128", "conv 3×3, 32", "conv 1×1, 32")
    inner = page.locator('.box[data-row="row_5"][data-path*="/"]')
    places = [inner.filter(has_text=name).last.bounding_box() for name in names]
    lefts = [place["x"] for place in places if place is not None]
    assert lefts == sorted(lefts)
    assert len(lefts) == 4


NEST = """arch 1
block deep(c) : h x w x k -> h x w x c = (conv(1, c) | conv(3, c) | conv(5, c)) -> add -> conv(1, c)
block outer(c) : h x w x k -> h x w x k = ( id | deep(c) -> deep(2*c) -> conv(1, k) ) -> add
network Nest { input 64 x 64 x 16 body conv(3, 16) -> outer(8) -> conv(1, 4) }
"""
COVERED = """() => [...document.querySelectorAll("path.edge")].flatMap((edge, i, all) => {
  const frames = [...document.querySelectorAll(".box > .body")].filter(
    (frame) => edge.compareDocumentPosition(frame) & Node.DOCUMENT_POSITION_FOLLOWING);
  const length = edge.getTotalLength();
  return Array.from({ length: 60 }, (_, i) => edge.getPointAtLength(length * (i + 1) / 62)).filter((point) => {
    const at = point.matrixTransform(edge.getScreenCTM());
    return frames.some((frame) => {
      const box = frame.getBoundingClientRect();
      return box.left + 1 < at.x && at.x < box.right - 1 && box.top + 1 < at.y && at.y < box.bottom - 1;
    });
  });
}).length"""


def test_edges_pass_beside_frames_and_stay_in_their_own(page: Page, tmp_path: Path) -> None:
    archspec.render(archspec.parse(NEST).elaborate(), tmp_path / "net.html")
    page.goto(f"file://{tmp_path / 'net.html'}")
    page.get_by_role("button", name="Layers", exact=True).click()
    page.get_by_role("button", name="Fit").click()
    assert page.evaluate(COVERED) == 0
    skip, frame = page.locator("path.edge.skip").bounding_box(), page.locator(box(page, "outer")).bounding_box()
    assert skip is not None and frame is not None  # noqa: PT018
    assert frame["x"] <= skip["x"] <= skip["x"] + skip["width"] <= frame["x"] + frame["width"]


def test_what_comes_into_sight_later_covers_no_edge(page: Page, tmp_path: Path) -> None:
    archspec.render(archspec.parse(NEST).elaborate(), tmp_path / "net.html")
    page.goto(f"file://{tmp_path / 'net.html'}")
    page.get_by_role("button", name="Layers", exact=True).click()
    page.mouse.move(300, 500)
    for step in (-1200, *[30] * 40):
        page.mouse.wheel(step, 0)
    expect(page.locator(box(page, "outer"))).to_be_in_viewport()
    assert page.evaluate(COVERED) == 0


def test_titles_of_networks_side_by_side_stand_beside_each_other(page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, "mobilenet_v2", "vgg16")
    page.get_by_role("button", name="Fit").click()
    titles = page.locator("svg.diagram > g > text.title")
    expect(titles).to_have_text([re.compile("^MobileNetV2: "), re.compile("^vgg16: Very Deep")])
    left, right = titles.nth(0).bounding_box(), titles.nth(1).bounding_box()
    assert left is not None and right is not None  # noqa: PT018
    assert left["x"] + left["width"] < right["x"]


def test_hostile_texts_are_texts(page: Page, tmp_path: Path) -> None:
    archspec.render(hostile.network(), tmp_path / "net.html")
    page.goto(f"file://{tmp_path / 'net.html'}")
    page.get_by_role("button", name="Layers", exact=True).click()
    expect(page.locator(".box").first).to_be_visible()
    page.locator(box(page, "row_0")).first.hover(position={"x": 5, "y": 5})
    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 0
    expect(page.locator("h1")).to_contain_text("</script><script>")


@pytest.mark.parametrize("name", ["resnet152", "efficientnet_b7", "densenet201"])
def test_large_networks_open_whole(name: str, page: Page, tmp_path: Path) -> None:
    shown(page, tmp_path, name)
    page.get_by_role("button", name="Layers", exact=True).click()
    page.get_by_role("button", name="×N").click()
    page.get_by_role("button", name="Fit").click()
    assert page.locator(".box").count() > 150


def test_a_notebook_shows_the_page_in_a_frame(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notebook.html").write_text(archspec.load("alexnet").elaborate()._repr_html_(), encoding="utf-8")
    page.goto(f"file://{tmp_path / 'notebook.html'}")
    frame = page.frame_locator("iframe")
    frame.locator(box(page, "row_1")).hover()
    expect(frame.locator(".card")).to_contain_text("conv 11×11, 64, /4")


def stamp() -> str:
    """What the build step says of the sources that it built from."""
    sources = sha256()
    for path in [*sorted((WEB / "src").iterdir()), WEB / "build.js", WEB / "package-lock.json"]:
        sources.update(path.read_bytes())
    return f"built from web/ {sources.hexdigest()};"


def test_the_script_was_built_from_the_sources_beside_it() -> None:
    assert stamp() in asset("page.js")[:200], "run `make web`"
