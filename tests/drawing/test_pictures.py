"""Pictures by Graphviz: what they show at each level, that they are safe, and that they stay fast."""

import os
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from time import process_time
from xml.etree import ElementTree

import pytest
from drawing import hostile
from graphs import graph
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from random_networks import Part, networks

import archspec
from archspec import Graph, library
from archspec.cli.commands import run
from archspec.drawing import picture
from archspec.drawing.columns import columns
from archspec.drawing.dot import dot, stage_starts
from archspec.drawing.graphviz import KEPT, SVG
from archspec.drawing.palette import PALETTES, SAID, THEMES, Theme
from archspec.drawing.scene import Box, Family, scene
from archspec.drawing.view import LEVELS, Shown, View, view
from archspec.errors import Refusal
from archspec.ops import OPERATORS
from archspec.stages import stage_of

CONV, BN, RELU, ADD = (OPERATORS[kind] for kind in ("conv", "bn", "relu", "add"))
UNET = """arch 1
block double(c) = conv(3, c) -> bn -> relu -> conv(3, c) -> bn -> relu
block up(c)     = upsample(2) -> conv(3, c)
network UNet(k = 2) {
  input 256 x 256 x 1
  body double(64) as e1 -> maxpool(2, 2) -> double(128) as e2 -> maxpool(2, 2) -> double(256) as e3 -> maxpool(2, 2)
       -> double(512) as e4 -> maxpool(2, 2) -> double(1024)
       -> (up(512) | @e4) -> concat -> double(512) -> (up(256) | @e3) -> concat -> double(256)
       -> (up(128) | @e2) -> concat -> double(128) -> (up(64) | @e1) -> concat -> double(64) -> conv(1, k)
}
"""
SEVEN = ["alexnet", "vgg16", "googlenet", "inception_v3", "mobilenet_v2", "resnet152", "densenet201"]


def seen(name: str, level: str, **options: object) -> View:
    made = archspec.load(name).elaborate()
    return view(made, scene(made), level, **options)  # type: ignore[arg-type]


def texts(drawing: bytes) -> list[str]:
    return [(element.text or "").strip("\u00a0 ") for element in ElementTree.fromstring(drawing).iter(f"{{{SVG}}}text")]


# ---- what is one box ----


def walked(made: Graph) -> list[Box]:
    return [box for top in scene(made) for box in top.walk()]


@pytest.mark.parametrize("name", SEVEN)
def test_every_operator_is_in_one_box_and_the_counts_add_up(name: str) -> None:
    made = archspec.load(name).elaborate()
    boxes = scene(made)
    assert sorted(node.path for box in boxes for node in box.nodes()) == sorted(node.path for node in made.nodes)
    stats = made.stats()
    assert sum(box.counts.params for box in boxes) == stats.params
    assert sum(box.counts.macs for box in boxes) == stats.macs
    for box in walked(made):
        if box.children:
            assert sum(child.counts.macs for child in box.children) == box.counts.macs


def test_what_normalises_and_activates_stands_with_its_convolution() -> None:
    made = graph(
        (8, 8, 4), ("c1", CONV(kernel=3, channels=4)), ("b1", BN()), ("r1", RELU()), ("c2", CONV(kernel=3, channels=4)),
        ("sum", ADD(), ("r1", "c2")), ("r2", RELU()),
    )  # fmt: skip
    assert [[node.path for node in box.layers] for box in scene(made)[1:]] == [
        ["c1", "b1", "r1"],
        ["c2"],
        ["sum", "r2"],
    ]


def test_a_row_has_the_colour_of_the_one_kind_that_computes_in_it() -> None:
    pools = [box.family for box in scene(archspec.load("vgg16").elaborate()) if box.title == "maxpool"]
    assert pools == ["pooling"] * 5  # the last is followed by an adaptive average
    dropout = next(box for box in scene(archspec.load("googlenet").elaborate()) if box.title == "dropout (40%)")
    assert dropout.family == "regularisation"


def test_the_operator_of_a_row_is_said_whole() -> None:
    titles = [box.title for box in scene(archspec.load("xception").elaborate())]
    assert max(map(len, titles)) > 80
    assert not any("…" in title for title in titles)


def test_what_comes_before_a_convolution_stands_with_it_too() -> None:
    made = graph((8, 8, 4), ("b", BN()), ("r", RELU()), ("c", CONV(kernel=1, channels=4)), ("b2", BN()))
    assert [[node.path for node in box.layers] for box in scene(made)[1:]] == [["b", "r", "c"], ["b2"]]


# ---- levels ----


def test_the_rows_are_those_of_the_table() -> None:
    shown = seen("mobilenet_v2", "row")
    assert [part.title for part in shown.parts] == ["input", "conv2d", *["bottleneck"] * 7, "conv2d 1x1", "avgpool 7x7",
                                                    "conv2d 1x1"]  # fmt: skip
    assert shown.parts[4].notes == ("t 6 · c 32 · n 3 · s 2",)


def test_repeats_are_folded_and_can_be_unfolded() -> None:
    folded, unfolded = seen("resnet152", "layer"), seen("resnet152", "layer", fold=False)
    assert [point.times for point in folded.points if point.times > 1] == [2, 7, 35, 2]
    assert all(point.times == 1 for point in unfolded.points)
    assert folded.counts == unfolded.counts
    assert sum(part.counts.macs for part in folded.parts) == 11_513_626_624
    assert len(unfolded.points) > 3 * len(folded.points)


def test_a_shortcut_is_a_skip_and_a_branch_is_none() -> None:
    residual = seen("mobilenet_v2", "layer", at="row_3/bottleneck_2")
    assert [edge.skip for edge in residual.edges if edge.target == len(residual.points) - 1] == [False, True]
    branches = seen("googlenet", "layer", at="inception")
    assert not any(edge.skip for edge in branches.edges)


def test_auxiliary_outputs_are_shown() -> None:
    assert {name for name, _, _ in seen("googlenet", "row").outputs} == {"output", "aux1", "aux2"}


def test_shapes_stand_on_edges_and_counts_on_boxes() -> None:
    said = texts(picture(archspec.load("mobilenet_v2").elaborate(), "svg"))
    assert {"112²×32", "7²×1280", "1000", "t 6 · c 24 · n 2 · s 2", "14.0K params · 54.9M MACs"} <= set(said)
    assert "3,504,872 params · 300,774,272 MACs" in said


@pytest.mark.parametrize("name", ["mobilenet_v2", "googlenet", "lesson_inverted_residual"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_text_of_a_picture(name: str, level: str, golden: Callable[[str, str], None]) -> None:
    golden(f"drawing/{name}_{level}.dot", dot([seen(name, level)]))


# ---- forms ----


@pytest.mark.parametrize("name", SEVEN)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_drawn_in_both_themes(name: str, level: str, theme: str) -> None:
    made = archspec.load(name).elaborate()
    root = ElementTree.fromstring(picture(made, "svg", level=level, theme=theme))  # type: ignore[arg-type]
    assert root.tag == f"{{{SVG}}}svg"
    assert 20 < len(list(root.iter(f"{{{SVG}}}text"))) < 1200


def test_png_and_pdf_are_what_they_say() -> None:
    made = archspec.load("alexnet").elaborate()
    small, large = (Image.open(BytesIO(picture(made, "png", dpi=dpi))) for dpi in (60, 120))
    assert abs(large.width - 2 * small.width) < 6
    assert picture(made, "pdf").startswith(b"%PDF")


@pytest.mark.parametrize("options", [{"direction": "landscape"}, {"columns": 3}, {"title": False, "legend": False}])
def test_other_layouts_are_drawn(options: dict[str, object]) -> None:
    made = archspec.load("inception_v3").elaborate()
    assert b"<svg" in picture(made, "svg", level="layer", **options)  # type: ignore[arg-type]


def test_networks_side_by_side_are_aligned_by_stage() -> None:
    made = [archspec.load(name).elaborate() for name in ("vgg16", "inception_v3", "mobilenet_v2")]
    root = ElementTree.fromstring(picture(made, "svg"))
    found = {element.text: float(element.get("y", 0)) for element in root.iter(f"{{{SVG}}}text")}
    places = {
        (element.text or "").strip("\u00a0"): float(element.get("x", 0)) for element in root.iter(f"{{{SVG}}}text")
    }
    # the first boxes of a quarter of the image: their shapes leave them at one height
    assert found["1/4"] < found["1/8"] < found["1/16"] < found["1/32"]
    first = [places[text] for text in ("7²×512", "8²×2048", "7²×1280")]
    assert first == sorted(first)


# ---- texts are data ----


@pytest.mark.parametrize("level", LEVELS)
def test_hostile_texts_are_drawn_as_texts(level: str) -> None:
    made = picture(hostile.network(), "svg", level=level)  # type: ignore[arg-type]
    root = ElementTree.fromstring(made)
    kinds = {str(element.tag).removeprefix(f"{{{SVG}}}") for element in root.iter()}
    assert kinds <= {*KEPT, "title"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if "href" in name or name.startswith("on")]
    assert b"<!" not in made
    assert "</script><script>" in "".join(texts(made))


def test_networks_of_the_papers_hold_no_reference_either() -> None:
    made = picture(archspec.load("googlenet").elaborate(), "svg", level="layer").decode()
    assert "href" not in made
    assert made.count("http") == made.count("http://www.w3.org/2000/svg") == 1


# ---- errors ----


def test_without_graphviz_it_says_how_to_install_it_and_dot_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    target = tmp_path / "net.svg"
    assert run(["render", "alexnet", "-o", str(target)]) == 3
    assert "apt-get install graphviz" in capsys.readouterr().err
    assert not target.exists()
    assert archspec.load("alexnet").elaborate()._repr_svg_() is None
    assert run(["render", "alexnet", "-o", str(tmp_path / "net.dot")]) == 0
    assert run(["render", "alexnet"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-o", "net.gif"], 2, "svg, png, pdf, dot, html"),
        (["--at", "botleneck", "-o", "net.svg"], 2, "did you mean `bottleneck`"),
        (["-o", "no/such/folder/net.dot"], 3, "No such file"),
        (["--at", "bottleneck", "-o", "net.html"], 2, "the whole network"),
        (["--level", "filters", "--at", "bottleneck", "-o", "net.svg"], 2, "with --level layer"),
        (["--level", "filters"], 2, "svg, png, pdf"),
        (["vgg16", "--columns", "2", "-o", "net.svg"], 2, "columns are those of one network"),
        (["vgg16", "--columns", "2", "-o", "net.html"], 2, "columns are those of one network"),
    ],
)
def test_mistakes(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str],
                  tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["render", "mobilenet_v2", *arguments]) == code
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"level": "rows"}, {"theme": "grey"}, {"direction": "up"}])
def test_what_is_no_option_is_told_in_python_too(options: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="there is no"):
        picture(archspec.load("alexnet").elaborate(), "dot", **options)  # type: ignore[arg-type]


def test_the_text_drawn_by_the_program_itself_is_the_same_picture(tmp_path: Path) -> None:
    program = shutil.which("dot")
    assert program is not None
    made = archspec.load("alexnet").elaborate()
    archspec.render(made, tmp_path / "net.dot")
    done = subprocess.run([program, "-Tsvg", tmp_path / "net.dot"], capture_output=True, check=True)
    assert texts(done.stdout) == texts(picture(made, "svg"))


def test_a_crash_of_graphviz_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dot"
    program.write_text(f'#!/bin/sh\n[ -e {tmp_path}/crashed ] || {{ touch {tmp_path}/crashed; kill -SEGV $$; }}\n'
                       f'exec {shutil.which("dot")} "$@"\n')  # fmt: skip
    program.chmod(0o755)
    made = archspec.load("lesson_residual").elaborate()
    drawn = picture(made, "svg")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert picture(made, "svg") == drawn
    assert (tmp_path / "crashed").exists()


def test_a_program_that_always_crashes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(Refusal, match="it ended with -11"):
        picture(archspec.load("lesson_residual").elaborate(), "svg")


def test_a_png_says_how_large_it_is(tmp_path: Path) -> None:
    made = archspec.load("lesson_residual").elaborate()
    with Image.open(BytesIO(picture(made, "png", dpi=300, level="layer"))) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("theme", THEMES)
def test_grey_print_tells_apart_what_computes(theme: Theme) -> None:
    fills = PALETTES[theme].fills
    computing: list[Family] = ["linear", "convolution", "pooling", "join", "block", "depthwise"]
    greys = [Image.new("RGB", (1, 1), fills[family]).convert("L").getpixel((0, 0)) for family in computing]
    assert all(11 <= b - a <= 14 for a, b in pairwise(greys))  # type: ignore[operator]


def test_stages_begin_at_operators_that_give_their_size() -> None:
    shown = seen("inception_v3", "layer")
    for stage, number in stage_starts(shown).items():
        assert not shown.points[number].inside
        assert stage_of(shown.image, shown.points[number].shape) == stage


def test_what_goes_on_in_another_column_enters_below_its_heading() -> None:
    text = dot([seen("resnet18", "layer")])
    (heading,) = [i for i, line in enumerate(text.splitlines()) if "(continued)" in line]
    inside = []
    for line in text.splitlines()[heading:]:
        if line.startswith("    }"):
            break
        inside.append(line)
    assert any(line.strip().startswith("from") for line in inside)


def test_most_shortcuts_that_go_around_half_a_network_stay_in_one_column() -> None:
    made = archspec.parse(UNET).elaborate()
    shown = view(made, scene(made), "row")
    places = columns(shown, None, "portrait")
    skips = [edge for edge in shown.edges if edge.skip]
    assert len(skips) == 4
    assert sum(places[edge.source] != places[edge.target] for edge in skips) <= 2


# ---- growth ----


def test_boxes_and_their_text_grow_linearly_with_the_network() -> None:
    def time(repeats: int) -> float:
        items = []
        for i in range(repeats):
            items += [(f"c{i}", CONV(kernel=1, channels=4)), (f"b{i}", BN()), (f"r{i}", RELU())]
        made = graph((8, 8, 4), *items)
        before = process_time()
        dot([view(made, scene(made), "layer", fold=False)])
        return process_time() - before

    time(100)
    # a square law would take 100 times as long
    assert min(time(2000) for _ in range(3)) < 35 * min(time(200) for _ in range(3))


# ---- any network ----


@pytest.mark.parametrize("name", [name for name in library.members() if not name.startswith("regnet")][::3])
def test_the_networks_of_the_zoo_are_drawn_whole(name: str) -> None:
    made = archspec.load(name).elaborate()
    for level in LEVELS:
        shown = view(made, scene(made), level)
        assert (shown.counts.params, shown.counts.macs) == (made.stats().params, made.stats().macs)
        assert dot([shown]).count("label=") > len(shown.points)


@pytest.mark.parametrize("level", LEVELS)
def test_a_network_without_an_edge_is_drawn(level: str) -> None:
    made = archspec.parse("arch 1\nnetwork N { input 1 x 1 x 1 body relu }").elaborate()
    made = made.model_copy(update={"nodes": made.nodes[:1], "outputs": {"output": "input"}})
    assert b"1\xc3\x971\xc3\x971" in picture(made, "svg", level=level)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from(LEVELS), st.booleans())
def test_any_network_is_drawn(network: Part, level: str, fold: bool) -> None:
    made = archspec.parse(network.text).elaborate()
    drawing = picture(made, "svg", level=level, fold=fold)  # type: ignore[arg-type]
    assert f"{made.stats().params:,} params · {made.stats().macs:,} MACs" in texts(drawing)


@pytest.mark.parametrize(("direction", "axis"), [("portrait", "x"), ("landscape", "y")])
def test_networks_stand_in_the_order_in_which_they_were_named(direction: str, axis: str) -> None:
    made = [archspec.load(name).elaborate() for name in ("vgg16", "mobilenet_v2")]
    root = ElementTree.fromstring(picture(made, "svg", direction=direction))  # type: ignore[arg-type]
    places = {element.text: float(element.get(axis, 0)) for element in root.iter(f"{{{SVG}}}text")}
    assert places["conv3-64"] < places["conv2d"]


@pytest.mark.parametrize("name", ["resnet152", "inception_v3", "googlenet", "vgg16"])
@pytest.mark.parametrize(("direction", "axis"), [("portrait", "x"), ("landscape", "y")])
def test_the_columns_of_a_long_network_stand_in_its_order(name: str, direction: str, axis: str) -> None:
    made = archspec.load(name).elaborate()
    drawing = picture(made, "svg", level="layer", direction=direction, columns=3)  # type: ignore[arg-type]
    places: dict[str, float] = {}
    for text in ElementTree.fromstring(drawing).iter(f"{{{SVG}}}text"):
        said = (text.text or "").strip("\u00a0")
        places[said] = min(places.get(said, 10**6), float(text.get(axis, 0)))
    # B stands at the end of the second column, and at the head of the third
    assert places["input"] < places["B"] < places["output"]


# ---- boxes alike ----

BODY = "block b(c) : h x w x k -> h x w x c = conv(3, c) -> bn -> relu -> conv(3, c)\n"


def bodied(body: str, level: str = "layer", **options: bool) -> View:
    made = archspec.parse(f"arch 1\n{BODY}network N {{ input 8 x 8 x 16 body {body} }}").elaborate()
    return view(made, scene(made), level, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("body", "times"),
    [
        ("conv(3, 16) * 1000", [1000]),
        ("(conv(3, 16) -> bn -> relu) * 5", [5]),
        ("relu -> conv(3, 16) -> conv(3, 16)", [1, 1]),  # the first has the activation with it
        ("conv(3, 16) -> conv(3, 16) -> conv(5, 16)", [2, 1]),
        ("conv(3, 8) -> conv(3, 8) -> conv(3, 8)", [1, 2]),
        ("b(16) * 4 -> b(32) -> b(32) -> b(32)", [4, 3]),
        ("conv(3, 16) -> (id | conv(3, 16)) -> add", [1, 1, 1]),  # others take what the first gives
    ],
)
def test_what_follows_itself_is_drawn_once(body: str, times: list[int], level: str) -> None:
    folded, each = bodied(body, level), bodied(body, level, fold=False)
    assert [part.times for part in folded.parts[1:]] == times
    assert [part.times for part in each.parts[1:]] == [1] * sum(times)
    assert folded.counts == each.counts


@pytest.mark.parametrize("level", LEVELS)
def test_a_layer_that_stands_for_several_says_so(level: str) -> None:
    text = dot([bodied("conv(3, 16) * 7", level)])
    assert "×7" in text
    assert "16.1K params" in text  # of all seven
    assert "×" not in dot([bodied("conv(3, 16) * 7", level, fold=False)]).replace("3×3", "").replace("²×16", "")


def test_what_the_network_gives_out_is_not_within_a_fold() -> None:
    body = "conv(3, 16) -> conv(3, 16) as early -> conv(3, 16) -> conv(3, 16) output mid = @early"
    shown = bodied(body)
    assert [part.times for part in shown.parts[1:]] == [2, 2]
    assert [shown.points[point].shape for _, point, _ in shown.outputs] == [(8, 8, 16)] * 2
    assert {point for _, point, _ in shown.outputs} == {1, 2}


def test_each_printed_row_is_drawn() -> None:
    assert all(part.times == 1 for part in seen("vgg16", "row").parts)
    assert [part.title for part in seen("vgg16", "layer").parts].count("conv3-512") == 6


def test_what_differs_in_the_passes_of_a_box_is_said_from_the_least_to_the_most() -> None:
    said = texts(picture(archspec.load("densenet121").elaborate(), "svg", level="layer"))
    assert {"33.3K–129K params", "6.42M–24.9M MACs"} <= set(said)  # of the first convolution of 24
    assert "37.1K params · 7.23M MACs" in said  # of the second, which are alike
    assert "2.84M params · 549M MACs" in said  # of all 24


def test_shapes_that_differ_in_the_passes_of_a_box_are_said_so() -> None:
    text = BODY.replace("block b(c) : h x w x k -> h x w x c = ", "block g(c) : h x w x k -> h x w x k + c = ( id | ")
    made = archspec.parse(
        f"arch 1\n{text[:-1].replace('conv(3, c) ->', 'maxpool(3, stride = 1) -> conv(3, c) ->', 1)}) -> concat\n"
        "network N { input 8 x 8 x 16 body g(4) * 3 -> conv(1, 2) }"
    ).elaborate()
    assert "8²×16–24" in dot([view(made, scene(made), "layer")])


# ---- columns ----


def folded(part: Shown) -> list[Shown]:
    return [part] if part.times > 1 else [found for inner in part.inside for found in folded(inner)]


@pytest.mark.parametrize("wanted", [None, 2, 3, 7])
@pytest.mark.parametrize("name", ["xception", "resnet152", "densenet121", "efficientnet_b0"])
def test_a_box_that_stands_for_several_is_in_one_column(name: str, wanted: int | None) -> None:
    shown = seen(name, "layer")
    where = columns(shown, wanted, "portrait")
    for part in (found for top in shown.parts for found in folded(top)):
        assert len({where[point.number or 0] for point in part.points()}) == 1


@pytest.mark.parametrize("name", ["googlenet", "xception", "mobilenet_v1"])
def test_a_network_is_cut_between_its_rows_where_that_does(name: str) -> None:
    shown = seen(name, "layer")
    where = columns(shown, None, "portrait")
    assert len(set(where)) > 1
    for part in shown.parts:
        assert len({where[point.number or 0] for point in part.points()}) == 1


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["mobilenet_v1", "vgg16", "googlenet", "inception_v3", "resnet152", "densenet201"])
def test_a_picture_has_about_the_shape_of_a_page(name: str, level: str) -> None:
    root = ElementTree.fromstring(picture(archspec.load(name).elaborate(), "svg", level=level))  # type: ignore[arg-type]
    wide, high = (float(root.get(side, "").removesuffix("pt")) for side in ("width", "height"))
    assert high < 1250 or 0.7 < high / wide < 2


def test_a_short_network_is_not_broken_however_deep_it_nests() -> None:
    text = "arch 1\nblock a(c) : h x w x k -> h x w x c = conv(3, c) -> relu -> conv(3, c)\n" \
           "block b(c) : h x w x k -> h x w x c = a(2*c) -> conv(1, c) -> a(4*c) -> a(c)\n" \
           "network N { input 8 x 8 x 3 body b(4) }"  # fmt: skip
    made = archspec.parse(text).elaborate()
    assert set(columns(view(made, scene(made), "layer"), None, "portrait")) == {0}


def test_columns_are_as_many_as_are_asked_for() -> None:
    for level in LEVELS:
        assert set(columns(seen("mobilenet_v2", level), 4, "portrait")) == {0, 1, 2, 3}


# ---- what is too large, and what the legend says ----


def stacked(times: int) -> Graph:
    text = f"arch 1\nnetwork N {{ input 8 x 8 x 3 body (conv(3, 8) -> bn -> relu -> conv(1, 3)) * {times} }}"
    return archspec.parse(text).elaborate()


def test_a_png_that_no_viewer_opens_is_refused_before_it_is_laid_out() -> None:
    begun = process_time()
    with pytest.raises(Refusal, match=r"a PNG holds 32,767 pixels on a side, .* about 250,000 pixels") as caught:
        picture(stacked(500), "png", level="layer", fold=False, columns=1)
    assert process_time() - begun < 10
    assert caught.value.exit_code == 2
    assert "-o net.svg" in (caught.value.help or "")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_a_png_that_graphviz_scaled_down_is_refused() -> None:
    """The length is 34,000 pixels; its estimate is too rough to say so before."""
    with pytest.raises(Refusal, match="a PNG holds 32,767 pixels on a side, and this picture is larger"):
        picture(stacked(42), "png", level="layer", fold=False, columns=1, dpi=300)


def test_a_png_of_the_same_network_that_is_short_is_not_refused() -> None:
    assert picture(stacked(200), "png", level="layer", columns=1).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("body", "said"),
    [("relu", ["activation"]), ("flatten", ["reshape"]), ("bn -> conv(1, 2)", ["convolution", "normalisation"])],
)
def test_the_legend_lists_what_is_drawn(body: str, said: list[str]) -> None:
    made = archspec.parse(f"arch 1\nnetwork C {{ input 16 x 16 x 4 body {body} }}").elaborate()
    drawn = texts(picture(made, "svg", level="layer"))
    assert [text for text in drawn if text in SAID.values() and text != "input"] == said


def tangled(lines: int) -> archspec.Graph:
    named = " -> ".join(f"relu as a{i}" for i in range(lines))
    taken = " | ".join(f"@a{i}" for i in range(lines))
    return archspec.parse(f"arch 1 network N {{ input 8 x 8 x 4 body {named} -> ( {taken} ) -> add }}").elaborate()


def test_a_picture_whose_lines_pass_too_many_boxes_is_refused_before_graphviz_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    graph = tangled(110)
    with pytest.raises(Refusal, match="boxes in this picture") as refused:
        picture(graph, "svg", level="layer")
    assert refused.value.exit_code == 4
    assert "--level block" in str(refused.value.help)
    assert picture(graph, "dot", level="layer").count(b" -> ") > 110
    assert picture(graph, "html")
