"""Devices: what a network needs of one, the files that describe them, and how `archspec stats --device` shows it."""

import csv
import io
import json
from math import prod
from pathlib import Path
from typing import Any

import pytest
from graphs import graph
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.cli.commands import run
from archspec.devices import Device, WrongDevice, bundled, estimate, load
from archspec.devices.device import read
from archspec.errors import Refusal
from archspec.ops import Add, Conv, Dropout, Flatten, Linear, Relu

MINE = """title = "Mine"
bandwidth = 1000
ram = 4096
flash = 200
[macs]
fp32 = 2000.0
int8 = 8000
[[source]]
title = "t"
section = "s"
says = "it"
url = "u"
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    return tmp_path / "mine.toml"


def device(text: str, folder: Path) -> Device:
    (folder / "d.toml").write_text(text, encoding="utf-8")
    return load(str(folder / "d.toml"))


# ---- what a network needs ----


def test_the_time_of_a_layer_is_the_longer_one_of_computing_and_moving(mine: Path) -> None:
    net = graph((4, 4, 2), ("conv", Conv(kernel=3, channels=8)), ("relu", Relu()))
    conv, relu = estimate(net, load(str(mine)), by="layer").layers
    macs, moved = 4 * 4 * 8 * 2 * 9, 4 * (32 + 144 + 128)
    assert (conv.counts.macs, conv.moved, conv.seconds, conv.bound) == (macs, moved, moved / 1000, "memory")
    assert (relu.moved, relu.seconds, relu.bound) == (4 * 256, 1.024, "memory")
    conv, _ = estimate(net, load(str(mine)).model_copy(update={"bandwidth": 1e9}), by="layer").layers
    assert (conv.seconds, conv.bound) == (macs / 2000, "compute")


def test_numbers_of_one_byte_move_a_quarter(mine: Path) -> None:
    net = graph((4, 4, 2), ("conv", Conv(kernel=3, channels=8)))
    (whole,), (small,) = (estimate(net, load(str(mine)), dtype, "layer").layers for dtype in ("fp32", "int8"))
    assert (whole.moved, whole.alive) == (4 * small.moved, 4 * small.alive)
    assert small.intensity == 4 * whole.intensity


def test_views_move_nothing_and_take_no_time(mine: Path) -> None:
    found = estimate(graph((4, 4, 2), ("drop", Dropout()), ("flat", Flatten())), load(str(mine)), by="layer")
    assert [(layer.moved, layer.seconds, layer.bound) for layer in found.layers] == [(0, 0.0, "")] * 2


def test_an_input_that_is_taken_twice_is_read_once(mine: Path) -> None:
    found = estimate(graph((4, 4, 2), ("add", Add(), ("input", "input"))), load(str(mine)), by="layer")
    assert found.moved == 4 * (32 + 32)


def test_weights_and_statistics_must_fit_into_flash(mine: Path) -> None:
    found = estimate(graph((10,), ("linear", Linear(channels=10))), load(str(mine)))
    sizes = [(weights.numbers, weights.params, weights.fits) for weights in found.weights]
    assert sizes == [("fp32", 440, False), ("fp16", 220, False), ("int8", 110, True)]


def test_without_flash_the_weights_lie_in_ram_beside_the_activations(tmp_path: Path) -> None:
    net = graph((10,), ("linear", Linear(channels=10)))
    with_flash, without = MINE.replace("4096", "512"), MINE.replace("4096", "512").replace("flash = 200\n", "")
    fits = [estimate(net, device(text, tmp_path)).activations[0].fits for text in (with_flash, without)]
    assert fits == [True, False]  # 80 bytes of activations; 440 of weights


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_outputs_of_training_take_neither_memory_nor_time(name: str) -> None:
    whole, plain = (archspec.load(each).elaborate() for each in (name, f"{name}_no_aux"))
    assert whole.stats().params > plain.stats().params
    one, other = (estimate(graph, load("jetson_nano")) for graph in (whole, plain))
    assert (one.weights, one.activations, one.layers) == (other.weights, other.activations, other.layers)


@pytest.mark.parametrize("by", ["row", "block", "layer"])
@pytest.mark.parametrize("name", ["mobilenet_v2", "googlenet", "densenet121"])
def test_the_lines_add_up_to_the_whole(name: str, by: Any) -> None:
    found = estimate(archspec.load(name).elaborate(), load("jetson_nano"), "fp16", by)
    assert found.seconds == pytest.approx(sum(layer.seconds for layer in found.layers), rel=1e-12)
    assert max(layer.alive for layer in found.layers) == found.activations[0].bytes
    assert max(layer.alive_in_place for layer in found.layers) == found.activations[2].bytes


def test_the_roofline_is_never_faster_than_the_device() -> None:
    net = archspec.load("resnet18").elaborate()
    found, chosen = estimate(net, load("h100_sxm"), "fp16", "layer"), load("h100_sxm")
    assert found.seconds >= max(found.macs / chosen.macs["fp16"], found.moved / chosen.bandwidth)
    assert all(
        layer.seconds == max(layer.counts.macs / chosen.macs["fp16"], layer.moved / chosen.bandwidth)
        for layer in found.layers
    )


def test_a_network_of_nothing_but_its_input_needs_its_image(mine: Path) -> None:
    net = archspec.parse("arch 1 network N { input 2 x 2 x 3 body relu }").elaborate()
    net = net.model_copy(update={"nodes": net.nodes[:1], "outputs": {"output": "input"}})
    found = estimate(net, load(str(mine)))
    assert ([peak.bytes for peak in found.activations], found.seconds) == ([48] * 4, 0)


def test_mobilenet_v2_moves_what_its_layers_hold() -> None:
    net = archspec.load("mobilenet_v2").elaborate()
    found = estimate(net, load("stm32h743"), "int8")
    tensors = sum(map(prod, net.tensors().values()))
    assert (found.moved, found.weights[2].params + found.weights[2].buffers) == (43_266_256, tensors)


# ---- the files ----


@pytest.mark.parametrize("name", bundled())
def test_every_device_has_its_sources(name: str) -> None:
    assert all(citation.url.startswith("https://") for citation in load(name).source)


@pytest.mark.parametrize(
    ("name", "dtype", "clock", "per_cycle"),
    [
        ("stm32f746", "fp32", 216e6, 1), ("stm32f746", "int8", 216e6, 2),
        ("stm32h743", "fp32", 480e6, 1), ("stm32h743", "int8", 480e6, 2),
        ("jetson_nano", "fp32", 921.6e6, 128), ("jetson_nano", "fp16", 921.6e6, 2 * 128),
        ("h100_sxm", "fp32", 1980e6, 132 * 128), ("h100_sxm", "fp16", 1830e6, 132 * 4 * 512),
        ("h100_sxm", "int8", 1830e6, 132 * 4 * 1024),
    ],
)  # fmt: skip
def test_a_peak_is_the_clock_times_what_is_done_in_a_cycle(name: str, dtype: Any, clock: float, per_cycle: int) -> None:
    assert load(name).macs[dtype] == clock * per_cycle


@pytest.mark.parametrize(
    ("before", "after", "message", "advice"),
    [
        ("ram = 4096", "", "`ram` is missing", "a whole number from 1"),
        ("ram = 4096", "ram = 1.5", "`ram` is 1.5", "a whole number from 1"),
        ("ram = 4096", "ram = 0", "`ram` is 0", "a whole number from 1"),
        ("ram = 4096", "ram = true", "`ram` is True", "a whole number from 1"),
        ("bandwidth = 1000", "bandwidth = nan", "`bandwidth` is nan", "a number from 1 to 1e+24"),
        ("bandwidth = 1000", "bandwith = 1000", "there is no key `bandwith`", "did you mean `bandwidth`?"),
        ("ram = 4096", "ram = 4096\nrom = 1", "there is no key `rom`", "did you mean `ram`?"),
        ("int8 = 8000", "int4 = 8000", "there is no key `macs.int4`", "known here: fp32, fp16, int8"),
        ("int8 = 8000", 'int8 = "fast"', "`macs.int8` is 'fast'", "a number from 1 to 1e+24"),
        ('url = "u"', "", "`source.0.url` is missing", "a text"),
        ('url = "u"', "url = 7", "`source.0.url` is 7", "a text"),
        ('title = "Mine"', "title = 7", "`title` is 7", "a text"),
        ("ram = 4096", "ram = ", "no TOML: Invalid value (at line 3", ""),
        ("ram = 4096", f"ram = {'9' * 5000}", "no TOML: ", ""),
    ],
)
def test_a_file_that_is_wrong_is_told_the_key_and_what_is_expected(
    before: str, after: str, message: str, advice: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongDevice) as raised:
        device(MINE.replace(before, after), tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'd.toml'}: {message}")
    assert advice in (raised.value.help or "")


VALUES = st.recursive(
    st.sampled_from(['"x"', "1", "0", "-1", "1.5", "true", "inf", "1979-05-27", '"\\u001b[31m"', "1e300"]),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["fp32", "title", "url", "x"]), inner, max_size=2).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(table=st.dictionaries(st.sampled_from(["title", "macs", "bandwidth", "ram", "flash", "source", "y"]), VALUES))
def test_whatever_a_file_holds_it_is_a_device_or_an_error_that_moves_no_cursor(
    table: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in table.items()), encoding="utf-8")
    assert complaint(path).isprintable()


def complaint(path: Path) -> str:
    try:
        read(path)
    except Refusal as error:
        return str(error)
    return ""


def test_no_more_of_a_file_is_read_than_a_device_can_take(tmp_path: Path) -> None:
    with pytest.raises(WrongDevice, match="longer than 65536 bytes"):
        device(MINE + "#" * 70_000, tmp_path)


# ---- the command ----


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--device", "stm32f764"], 2, "did you mean `stm32f746`?"),
        (["--device", "stm32f746", "--dtype", "fp16"], 2, "it has fp32, int8"),
        (["--device", "stm32f746", "--by", "stage"], 2, "not stages"),
        (["--dtype", "int8"], 2, "needs a --device"),
        (["--device", "missing.toml"], 3, "missing.toml: No such file"),
    ],
)
def test_a_device_that_cannot_be_taken_is_an_error(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", "mobilenet_v2", *arguments]) == code
    out, err = capsys.readouterr()
    assert (out, said in err, "Traceback" in err) == ("", True, False)


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "html"])
def test_every_form_shows_the_lines_and_what_must_fit(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "--device", "stm32h743", "--dtype", "int8", "--format", form]) == 0
    out = capsys.readouterr().out
    assert all(text in out for text in ("2,408,448", "1,505,280", "3,504,872", "43,266,256"))


def test_csv_is_one_table_of_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "--device", "jetson_nano", "--by", "layer", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (len(rows), sum(int(row["MACs"]) for row in rows)) == (153, 300_774_272)


def test_json_has_all_in_bytes_and_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "resnet18", "--device", "h100_sxm", "--format", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    best = first["activations"][1]
    assert (best["order"], best["bytes"], best["at_least"], len(best["nodes"])) == ("best", 9_633_792, 9_633_792, 154)
    assert (second["dtype"], second["device"]["macs"]["fp16"]) == ("fp32", 494_714_880_000_000)


def test_the_devices_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "devices"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in bundled())


def test_the_title_of_a_device_moves_no_cursor(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine.write_text(MINE.replace('"Mine"', '"\\u001b[2J"'), encoding="utf-8")
    assert run(["stats", "mobilenet_v2", "--device", str(mine)]) == 0
    assert "\x1b" not in capsys.readouterr().out
