"""The figures of `archspec lab relu`: which T they show, and the same bytes each time."""

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from archspec.lab import experiment, figures, spiral

SVG = "{http://www.w3.org/2000/svg}"


def said(drawing: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def cells() -> list[experiment.Cell]:
    return [experiment.cell(dim, channels, 200) for dim in (2, 4, 8) for channels in (1, 2, 4, 8)]


@pytest.mark.parametrize("channels", spiral.CHANNELS)
def test_the_draw_that_is_shown_is_the_median_one(channels: int) -> None:
    points = spiral.spiral()
    errors = spiral.errors(spiral.drawn(channels), points)
    shown = spiral.median_draw(channels)
    mine = ((shown.back - points) ** 2).sum(axis=1).mean()
    assert len(errors) == 101
    assert (errors < mine - 1e-12).sum() == (errors > mine + 1e-12).sum() == 50


def test_the_spiral_winds_outwards_in_two_dimensions() -> None:
    points = spiral.spiral()
    assert points.shape == (1000, 2)
    assert (np.diff(np.hypot(*points.T)) > 0).all()


def test_more_channels_bring_more_of_the_spiral_back() -> None:
    shown = [spiral.median_draw(channels) for channels in spiral.CHANNELS]
    assert [draw.channels for draw in shown] == [2, 3, 5, 15, 30]
    assert [draw.r2_back for draw in shown] == sorted(draw.r2_back for draw in shown)
    assert shown[0].r2_decoded < 0.8
    assert shown[-1].r2_decoded > 0.99999
    assert shown[0].invertible < 0.5
    assert shown[-1].invertible == 1


@pytest.mark.parametrize("form", ["svg", "png"])
def test_one_seed_gives_the_same_bytes(form: figures.Form, cells: list[experiment.Cell]) -> None:
    def drawn(seed: int) -> bytes:
        return figures.figure1([spiral.median_draw(channels, seed) for channels in (2, 5)], form)

    assert drawn(0) == drawn(0) != drawn(1)
    assert figures.curves(cells, 200, form) == figures.curves(cells, 200, form)


def test_the_figures_say_what_they_show(cells: list[experiment.Cell]) -> None:
    shown = [spiral.median_draw(channels) for channels in spiral.CHANNELS]
    first, second = said(figures.figure1(shown, "svg")), said(figures.curves(cells, 200, "svg"))
    assert {"input x", "m = 2", "m = 30", "pseudo-inverse", "linear decoder", "100% invertible"} <= set(first)
    assert {"n = 2", "n = 4", "n = 8", "(b) ReLU(Tx) = 0", "channels m", "m = 6n"} <= set(second)


def test_a_png_is_wide_enough_for_two_columns(cells: list[experiment.Cell]) -> None:
    with Image.open(BytesIO(figures.curves(cells, 200, "png"))) as image:
        assert image.width == 1584
