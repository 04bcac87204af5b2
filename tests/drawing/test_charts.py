"""Charts, and convolutions as solids: what stands in them, and that their texts are only texts."""

from io import BytesIO
from math import hypot
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawing import hostile
from graphs import graph
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import archspec
from archspec.cli.commands import run
from archspec.drawing import picture
from archspec.drawing.chart import Point, bubbles, chart, name, styled
from archspec.drawing.palette import PALETTES
from archspec.ops import OPERATORS

SVG = "{http://www.w3.org/2000/svg}"
THREE = [
    Point("mobilenet_v2", 3_504_872, 300_774_272, 71.9, "a"),
    Point("vgg16", 138_357_544, 15_470_264_320, 71.6, "b"),
    Point("vgg19", 143_667_240, 19_632_062_464, 72.4, "b"),
]


def said(drawing: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("against", "size"), [("macs", "parameters"), ("params", "MACs")])
def test_a_chart_says_what_it_shows(against: str, size: str, theme: str) -> None:
    made = chart(THREE, against=against, label="accuracy", theme=theme)  # type: ignore[arg-type]
    assert {"mobilenet_v2", "vgg16", "vgg19", "accuracy", size} <= set(said(made))
    assert made == chart(THREE, against=against, label="accuracy", theme=theme)  # type: ignore[arg-type]


def test_the_bubbles_stand_where_the_counts_say_and_are_as_large() -> None:
    axes = Figure().add_subplot()
    bubbles(axes, THREE, "macs", "params", "#000000")
    found = {
        tuple(offset): size
        for c in axes.collections
        for offset, size in zip(c.get_offsets(), c.get_sizes(), strict=True)
    }
    assert set(found) == {(point.macs, point.number) for point in THREE}
    areas = {point.params: found[point.macs, point.number] for point in THREE}
    assert areas[138_357_544] / areas[143_667_240] == pytest.approx(138_357_544 / 143_667_240)


def test_a_chart_holds_no_address_and_its_texts_are_texts() -> None:
    points = [Point(text, 10**6 + i, 10**8 + i, float(i), text) for i, text in enumerate(hostile.TEXTS[:4])]
    made = chart(points, label="$\\frac{1}{")
    root = ElementTree.fromstring(made)
    assert {str(element.tag).removeprefix(SVG) for element in root.iter()} <= {
        "svg", "defs", "style", "g", "path", "use", "text", "clipPath", "rect",
    }  # fmt: skip
    assert all(value.startswith("#") for e in root.iter() for name, value in e.attrib.items() if name.endswith("href"))
    assert "$\\frac{1}{" in said(made)


def test_families_are_told_apart_however_many_there_are() -> None:
    points = [Point(f"n{i}", 10**6, 10**8 + i, 50.0 + i, f"family {i}") for i in range(20)]
    assert len({style for style, _ in styled(points)}) == 20


def test_families_that_are_joined_are_named_where_there_are_others() -> None:
    points = [Point("resnet50", 10**7, 10**9, 76.0, "specs/resnet.arch"), *THREE]
    assert "b" in said(chart([*points, Point("resnet18", 10**7, 10**8, 70.0, "specs/resnet.arch")]))
    assert "resnet" in said(chart([*points, Point("resnet18", 10**7, 10**8, 70.0, "specs/resnet.arch")]))
    assert "resnet" not in said(chart(points))
    assert "b" not in said(chart(THREE[1:]))  # they are all of one


def test_a_name_stands_in_no_bubble() -> None:
    crowd = [Point(f"network {i}", 10**8 - i, 10**9 + 10**8 * i, 70 + i / 4, "a") for i in range(6)]
    axes = Figure(figsize=(5.4, 3.9)).add_subplot()
    placed = bubbles(axes, crowd, "macs", "params", "#000000")
    axes.set_xscale("log")
    axes.margins(0.16)
    axes.figure.draw_without_rendering()
    name(axes, placed, "#000000")
    scale = axes.figure.dpi / 72
    for label in axes.texts:
        label.update_positions(axes.figure._get_renderer())
        box = Text.get_window_extent(label)
        for _, x, y, radius in placed:
            cx, cy = axes.transData.transform((x, y))
            near = min(max(cx, box.x0), box.x1), min(max(cy, box.y0), box.y1)
            assert hypot(cx - near[0], cy - near[1]) > radius * scale - 1
        assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1
        assert not any(box.overlaps(Text.get_window_extent(other)) for other in axes.texts if other is not label)


def test_the_command_writes_a_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "chart.png"
    assert run(["chart", "mobilenet_v2=71.9", "alexnet=56.5", "-o", str(target)]) == 0
    with Image.open(target) as image:
        assert image.width == 1080
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["alexnet"], 2), (["alexnet=much"], 2), (["alexnet=nan"], 2), (["=3"], 2), (["no_such_net=3"], 3)],
)
def test_mistakes_of_a_chart(
    arguments: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chart", *arguments, "-o", str(tmp_path / "chart.svg")]) == code
    assert run(["chart", "alexnet=1", "-o", str(tmp_path / "chart.gif")]) == 2
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err


@pytest.mark.parametrize("number", ["-1e300", "inf", "1e101"])
def test_a_number_that_no_axis_holds_is_told_so(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chart", f"alexnet={number}", "-o", str(tmp_path / "chart.svg")]) == 2
    assert "too large for a chart" in capsys.readouterr().err


def test_large_numbers_are_charted() -> None:
    points = [Point("a", 10**6, 10**8, -1e100, "a"), Point("b", 10**6, 10**9, 1e100, "a")]
    assert {"a", "b"} <= set(said(chart(points)))


# ---- convolutions as solids ----


@pytest.mark.parametrize(
    ("name", "values", "texts"),
    [
        ("lesson_standard_conv", {}, {"56×56×64", "56×56×128", "128 filters", "3×3×64", "73.7K params", "231M MACs"}),
        ("lesson_grouped_conv", {}, {"2 × 64 filters", "3×3×32", "36.9K params"}),
        ("lesson_grouped_conv", {"groups": 4}, {"4 × 32 filters", "3×3×16"}),
        ("lesson_depthwise_separable", {}, {"64 filters", "3×3×1", "128 filters", "1×1×64", "576 params"}),
    ],
)
def test_the_lessons_are_drawn_as_solids(name: str, values: dict[str, int], texts: set[str]) -> None:
    made = picture(archspec.load(name).elaborate(**values), "svg")
    lines = {line for text in said(made) for line in text.split("\n")}
    assert all(any(wanted in line for line in lines) for wanted in texts)
    assert b"http" not in made.replace(b"http://www.w3.org/", b"")


def test_a_filter_is_as_deep_as_what_it_sees() -> None:
    def yellow(name: str) -> int:
        image = Image.open(BytesIO(picture(archspec.load(name).elaborate(), "png", dpi=50))).convert("RGB")
        first = Image.new("RGB", (1, 1), PALETTES["light"].fills["pooling"]).getpixel((0, 0))
        return sum(count for count, color in image.getcolors(10**6) or () if color == first)

    assert yellow("lesson_standard_conv") > 2 * yellow("lesson_grouped_conv")


def test_other_networks_are_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "alexnet", "--level", "filters", "-o", str(tmp_path / "net.svg")]) == 2
    assert "--level layer" in capsys.readouterr().err
    conv = OPERATORS["conv"]
    many = graph((8, 8, 4), *((f"c{i}", conv(kernel=3, channels=4)) for i in range(5)))
    assert "input" in said(picture(many, "svg"))
