"""Files of `torch.export` that somebody made to do harm: nothing in them runs; each is read or refused in a line."""

import contextlib
import io
import json
import pickle
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from archspec_torch.checkpoint import read
from archspec_torch.expressions import Unknown, number
from torch import nn

from archspec.cli.commands import run
from archspec.weights import WeightsError

EVIL = "__import__('pathlib').Path({marker!r}).touch()"
MODEL = "net/models/model.json"
WEIGHTS, CONSTANTS = "net/data/weights/model_weights_config.json", "net/data/constants/model_constants_config.json"

Records = dict[str, bytes]
Spoil = Callable[[Records, str], None]


class Plant:
    """What a pickle runs when it is loaded."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code,)


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)).eval()


def parts(chunks: Any, outputs: int) -> Spoil:
    """The rectifier is a chunk of so many parts, which the file says are others."""

    def change(model: Any) -> None:
        node = model["graph_module"]["graph"]["nodes"][1]
        node["target"] = "torch.ops.aten.chunk.default"
        node["inputs"].append({"name": "chunks", "arg": chunks, "kind": 1})
        node["inputs"].append({"name": "dim", "arg": {"as_int": 1}, "kind": 1})
        name = node["outputs"][0]["as_tensor"]
        if outputs > 1:
            node["outputs"] = [{"as_tensors": [name]}]

    return edited(MODEL, change)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """The records of a file that torch wrote."""
    path = tmp_path_factory.mktemp("hostile") / "net.pt2"
    batch, height = torch.export.Dim("n", min=1, max=64), torch.export.Dim("h", min=8, max=64)
    dynamic = ({0: batch, 2: height},)
    torch.export.save(torch.export.export(net(), (torch.zeros(2, 3, 16, 12),), dynamic_shapes=dynamic), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(records: Records, path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    return path


def pickled(code: str) -> bytes:
    """A file of `torch.save` that runs code when it is unpickled."""
    buffer = io.BytesIO()
    torch.save({"0.weight": Plant(code)}, buffer)
    return buffer.getvalue()


def edited(record: str, change: Callable[[Any], None]) -> Spoil:
    """The same with another JSON in one record."""

    def spoil(records: Records, code: str) -> None:
        content = json.loads(records[record])
        change(content)
        records[record] = json.dumps(content).replace("EVIL", code.replace('"', '\\"')).encode()

    return spoil


def values(model: Any) -> Iterator[Any]:
    return iter(model["graph_module"]["graph"]["tensor_values"].values())


def sizes_of_code(model: Any) -> None:
    for value in values(model):
        for size in value["sizes"]:
            if "as_expr" in size:
                size["as_expr"]["expr_str"] = "EVIL"


def symbol_of_code(model: Any) -> None:
    for value in values(model):
        for size in value["sizes"]:
            if "as_expr" in size:
                size["as_expr"]["expr_str"] = "Symbol(EVIL)"


def pickled_weight(records: Records, code: str) -> None:
    config = json.loads(records[WEIGHTS])
    config["config"]["0.weight"]["use_pickle"] = True
    records[WEIGHTS] = json.dumps(config).encode()
    records["net/data/weights/weight_0"] = pickled(code)


def pickled_constant(name: str) -> Spoil:
    def spoil(records: Records, code: str) -> None:
        config = json.loads(records[CONSTANTS])
        meta = json.loads(records[WEIGHTS])["config"]["0.weight"]["tensor_meta"] if name == "tensor_0" else None
        config["config"]["extra"] = {"path_name": name, "is_param": False, "use_pickle": True, "tensor_meta": meta}
        records[CONSTANTS] = json.dumps(config).encode()
        records[f"net/data/constants/{name}"] = pickle.dumps(Plant(code)) if meta is None else pickled(code)

    return spoil


def plain(record: str) -> Spoil:
    """A record that is a pickle."""
    return lambda records, code: records.update({record: pickled(code)})


def older(evil: str) -> Spoil:
    """The form of files up to torch 2.7, one part of them a pickle that runs code."""

    def spoil(records: Records, code: str) -> None:
        model, buffer = records[MODEL], io.BytesIO()
        torch.save(net().state_dict(), buffer)
        records.clear()
        records["version"] = b"8.8"
        records["serialized_exported_program.json"] = model
        parts = {"state_dict": buffer.getvalue(), "constants": b"", "example_inputs": b""}
        for part, content in parts.items():
            records[f"serialized_{part}.pt"] = pickled(code) if part == evil else content

    return spoil


def call(target: str, *inputs: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        node = model["graph_module"]["graph"]["nodes"][1]
        node["target"] = target
        node["inputs"] += inputs

    return change


def text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "arg": {"as_string": value}, "kind": 1}


def out_spec(model: Any) -> None:
    spec = '[1, {"type": "os.system", "context": "[\\"true\\"]", "children_spec": []}]'
    model["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = spec


HARMLESS: dict[str, Spoil] = {
    "sample inputs": plain("net/data/sample_inputs/model.pt"),
    "an object in the constants": pickled_constant("opaque_obj_0"),
    "an object of TorchScript": pickled_constant("custom_obj_0"),
    "older sample inputs": older("example_inputs"),
    "a range": edited(MODEL, lambda model: model["range_constraints"].update(EVIL={"min_val": 1, "max_val": 2})),
    "compiled code beside it": plain("net/data/aotinductor/model/model.so"),
    "an extra file": plain("net/extra/../../../x"),
    "outputs of a class": edited(MODEL, out_spec),
}
"""What is not looked at, or only as text: the file is read."""
REFUSED: dict[str, tuple[Spoil, str]] = {
    "a weight": (pickled_weight, "more than tensors is in this file, and loading it could run code"),
    "a constant": (pickled_constant("tensor_0"), "more than tensors is in this file"),
    "weights of torch 2.8": (plain("net/data/weights/model.pt"), "more than tensors is in this file"),
    "constants of torch 2.8": (plain("net/data/constants/model.pt"), "more than tensors is in this file"),
    "older weights": (older("state_dict"), "more than tensors is in this file"),
    "older constants": (older("constants"), "more than tensors is in this file"),
    "sizes": (edited(MODEL, sizes_of_code), "which cannot be solved"),
    "a symbol": (edited(MODEL, symbol_of_code), "which cannot be solved"),
    "a guard": (edited(MODEL, lambda model: model.update(guards_code=["EVIL"])), "which is not read"),
    "an operator of Python": (edited(MODEL, call("_operator.attrgetter", text("0", "EVIL"))), "is unsupported"),
    "an operator of torch": (edited(MODEL, call("torch.ops.load_library", text("0", "x.so"))), "is unsupported"),
    "an operator of ATen that reads a file": (
        edited(MODEL, call("torch.ops.aten.from_file.default", text("filename", "/etc/passwd"))), "is unsupported",
    ),
    "an operator with the name of another": (edited(MODEL, call("torch.ops.mine.relu.default")), "is unsupported"),
    "a class": (edited(MODEL, call("torch.ops.aten.__class__.mro")), "is unsupported"),
}  # fmt: skip


def imported(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run(["import", str(path), "--input", "16x12"])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


@pytest.mark.parametrize("way", HARMLESS)
def test_code_in_what_is_not_read_does_not_run(
    way: str, records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marker, changed = tmp_path / "marker", dict(records)
    HARMLESS[way](changed, EVIL.format(marker=str(marker)))
    code, shown = imported(written(changed, tmp_path / "net.pt2"), capsys)
    assert (code, "conv(3, 4, pad = valid, bias = true) -> relu -> maxpool(2)" in shown) == (0, True), shown
    assert not marker.exists()


@pytest.mark.parametrize("way", REFUSED)
def test_code_in_what_is_read_does_not_run(
    way: str, records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marker, changed = tmp_path / "marker", dict(records)
    spoil, why = REFUSED[way]
    spoil(changed, EVIL.format(marker=str(marker)))
    code, shown = imported(written(changed, tmp_path / "net.pt2"), capsys)
    assert code == 1
    assert why in shown
    assert not marker.exists()


@pytest.mark.parametrize("way", ["sample inputs", "a weight", "older weights", "sizes", "a symbol"])
@pytest.mark.filterwarnings("ignore")  # torch's own, of what it loads
def test_what_is_planted_runs_where_torch_itself_loads_it(way: str, records: Records, tmp_path: Path) -> None:
    marker, changed = tmp_path / "marker", dict(records)
    spoil = HARMLESS[way] if way in HARMLESS else REFUSED[way][0]
    spoil(changed, EVIL.format(marker=str(marker)))
    with contextlib.suppress(Exception):
        torch.export.load(written(changed, tmp_path / "net.pt2"))
    assert marker.exists()


# ---- files that lie ----


def claim(name: str, **said: Any) -> Spoil:
    """Another claim about one tensor."""
    return edited(MODEL, lambda model: model["graph_module"]["graph"]["tensor_values"][name].update(said))


def stored(**said: Any) -> Spoil:
    """Another claim about what is stored of the first weight."""
    return edited(WEIGHTS, lambda config: config["config"]["0.weight"]["tensor_meta"].update(said))


def sides(*numbers: int) -> list[dict[str, int]]:
    return [{"as_int": number} for number in numbers]


def argument(place: int, name: str, value: Any) -> Spoil:
    """Another argument of one call."""

    def change(model: Any) -> None:
        inputs = model["graph_module"]["graph"]["nodes"][place]["inputs"]
        inputs[:] = [given for given in inputs if given["name"] != name] + [{"name": name, "arg": value, "kind": 1}]

    return edited(MODEL, change)


def without(record: str) -> Spoil:
    def spoil(records: Records, code: str) -> None:
        del records[record]

    return spoil


def replaced(record: str, content: bytes) -> Spoil:
    return lambda records, code: records.update({record: content})


LIES: dict[str, tuple[Spoil, str]] = {
    "more numbers than there are": (stored(sizes=sides(4, 3, 3, 4)), "108 numbers"),
    "one number many times": (stored(sizes=sides(2**40, 3, 3, 3), strides=sides(0, 0, 0, 0)), "108 numbers"),
    "a negative step": (stored(strides=sides(-27, 9, 3, 1)), "not whole numbers"),
    "an offset": (stored(storage_offset={"as_int": 2**60}), "108 numbers"),
    "too few steps": (stored(strides=sides(9, 3, 1)), "108 numbers"),
    "numbers of no type": (stored(dtype=99), "of type 99"),
    "another weight than is stored": (claim("p_0_weight", sizes=sides(4, 3, 5, 5)), "the file says otherwise"),
    "another shape than torch gives": (claim("conv2d", sizes=sides(2, 4, 9, 9)), "another shape than the file says"),
    "a stride of 0": (argument(0, "stride", {"as_ints": [0, 0]}), "torch refuses it"),
    "text for a number": (argument(0, "stride", {"as_string": "1"}), "torch refuses it"),
    "a tensor for a number": (argument(0, "groups", {"as_tensor": {"name": "input"}}), "torch refuses it"),
    "an argument of a kind to come": (argument(0, "stride", {"as_future": 1}), "is not read"),
    "a window of nothing": (argument(2, "kernel_size", {"as_ints": []}), "torch refuses it"),
    "parts without end": (parts({"as_int": 2**40}, 2), "another number of parts"),
    "parts that are one": (parts({"as_int": 2}, 1), "the file says one tensor"),
    "parts of no number": (parts({"as_string": "2"}, 2), "its arguments are not numbers"),
    "what is not made": (argument(1, "self", {"as_tensor": {"name": "later"}}), "before it is made"),
    "no weight": (edited(WEIGHTS, lambda config: config["config"].pop("0.weight")), "does not hold `0.weight`"),
    "no record of a weight": (without("net/data/weights/weight_0"), "no record"),
    "no weights": (without(WEIGHTS), "no record"),
    "no program": (without(MODEL), "0 programs"),
    "no JSON": (replaced(MODEL, b"\xff{"), "is damaged"),
    "other JSON": (replaced(MODEL, b"[]"), "Expected `object`"),
    "deep JSON": (replaced(MODEL, b'{"a":' + b"[" * 100_000), "is damaged"),
    "a version to come": (
        edited(MODEL, lambda model: model.update(schema_version={"major": 9, "minor": 0}, torch_version="4.0.0")),
        "torch 4.0.0 wrote it in version 9.0 of its format, and archspec reads version 8",
    ),
    "an old version": (
        edited(MODEL, lambda model: model.update(schema_version={"major": 5, "minor": 1})), "with a newer torch",
    ),
    "the other byte order": (replaced("net/byteorder", b"big"), "another byte order"),
    "an image of nothing": (claim("input", sizes=sides(2, 3, 0, 12)), "it takes 0×12×3"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_refused_in_a_line(
    lie: str, records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = dict(records)
    spoil, why = LIES[lie]
    spoil(changed, "")
    code, shown = imported(written(changed, tmp_path / "net.pt2"), capsys)
    assert code == 1
    assert why in shown
    assert "Traceback" not in shown


def test_records_that_unpack_to_more_than_the_file_are_refused(
    records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bomb = {**records, "net/data/weights/weight_0": bytes(50_000_000)}
    path = written(bomb, tmp_path / "net.pt2", zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 200_000
    code, shown = imported(path, capsys)
    assert (code, "is compressed, and torch never compresses records" in shown) == (1, True)


def test_a_checkpoint_that_unpacks_to_more_than_the_file_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1_000_000)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert set(read(tmp_path / "plain.pth")) == {"weight"}
    with pytest.raises(WeightsError, match="is compressed, and torch never compresses records"):
        read(written(held, tmp_path / "bomb.pth", zipfile.ZIP_DEFLATED))


def test_a_pickle_of_another_protocol_is_refused_without_a_warning_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(b"\x80\x3e" + pickle.dumps({"weight": 1})[2:])
    with warnings.catch_warnings(record=True, action="always") as found, pytest.raises(WeightsError):
        read(path)
    assert found == []


def test_a_program_is_read_without_torch_s_compiler(records: Records, tmp_path: Path) -> None:
    path = written(records, tmp_path / "net.pt2")
    code = "import sys; from archspec.cli.commands import run; print(run(sys.argv[1:]), 'torch._dynamo' in sys.modules)"
    command = [sys.executable, "-c", code, "import", str(path), "--input", "16x12", "-o", str(tmp_path / "net.arch")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "0 False"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Add(Mul(Integer(2), Symbol('s0', positive=True, integer=True)), Integer(-1))", 9),
        ("FloorDiv(Symbol('s0'), Integer(2))", 2),
        ("2*s0 + 1", 11),
        ("-(s0 // 2) % 3", 1),
        ("Max(1, s0, Min(9, 8))", 8),
        ("L['x'].size()[3] >= 7 and not s0 == 4", True),
    ],
)
def test_a_size_is_parsed(text: str, value: int) -> None:
    assert number(text, {"s0": 5}, (2, 3, 6, 7)) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "s1", "s0.real", "Symbol(s0)", "[s0][0]", "(lambda: 1)()", "s0**s0", "1 << 99", "s0 // 0",
        "s0 if s0 else 1", "Add(*[1, 2])", "Add(1, 2, s0=3)", "9" * 5000, "(" * 900 + ")" * 900, "1e9", "'a' * 9", "",
        "L['x'].size()[9]", "9223372036854775807 * s0",
    ],
)  # fmt: skip
def test_what_is_not_a_size_is_not_known(text: str) -> None:
    with pytest.raises(Unknown):
        number(text, {"s0": 5}, (2, 3, 6, 7))


def test_only_compiled_code_is_said_to_be_so(
    records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled = {"net/archive_format": b"pt2", "net/data/aotinductor/model/a.so": b"\x7fELF"}
    code, shown = imported(written(compiled, tmp_path / "net.pt2"), capsys)
    assert (code, "it holds compiled code, and not a program" in shown) == (1, True)
