"""Data sets: published formats, read exactly; what is wrong is said, and nothing is executed."""

import io
import os
import pickle
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy._core import multiarray
from PIL import Image
from scipy.io import savemat

from archspec.train import readers
from archspec.train.data import parted, prepare, subset
from archspec.train.images import Part, WrongData
from archspec.train.readers import reader

RANDOM = np.random.default_rng(0)
LABELS = np.arange(40) % 10


def pixels(count: int) -> Any:
    return RANDOM.integers(0, 256, (count, 3072), np.uint8)


def cifar10(folder: Path, form: str) -> tuple[Any, Any]:
    """Files of CIFAR-10 with 40 images in each of two batches, and their pixels and labels."""
    data = {name: pixels(40) for name in ("data_batch_1", "data_batch_2", "test_batch")}
    for name, x in data.items():
        if form == "python":
            held = {b"data": x, b"labels": LABELS.tolist(), b"batch_label": b"x", b"filenames": [b"a.png"] * 40}
            (folder / name).write_bytes(pickle.dumps(held, protocol=2))
        elif form == "binary":
            (folder / f"{name}.bin").write_bytes(np.hstack([LABELS[:, None].astype(np.uint8), x]).tobytes())
        else:
            savemat(folder / f"{name}.mat", {"data": x, "labels": LABELS[:, None].astype(np.uint8)})
    return np.vstack([data["data_batch_1"], data["data_batch_2"]]), data["test_batch"]


@pytest.mark.parametrize("form", ["python", "binary", "matlab"])
def test_every_published_form_of_cifar_gives_the_same_images(tmp_path: Path, form: str) -> None:
    train, test = cifar10(tmp_path, form)
    classes, parts = reader(f"cifar10:{tmp_path}").read(None)
    assert len(classes) == 10
    # a record is the red, green and blue planes of 32×32, rows first (https://www.cs.toronto.edu/~kriz/cifar.html)
    assert (parts["train"].images == train.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)).all()
    assert (parts["test"].images[:, 3, 5, 1] == test[:, 1024 + 3 * 32 + 5]).all()
    assert (parts["test"].labels == LABELS).all()


def test_cifar_is_read_from_its_archive(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    train, _ = cifar10(tmp_path / "cifar-10-batches-py", "python")
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "cifar-10-batches-py", "cifar-10-batches-py")
    _, parts = reader(f"cifar10:{tmp_path / 'c.tar.gz'}").read(None)
    assert (parts["train"].images.transpose(0, 3, 1, 2).reshape(80, -1) == train).all()


def test_cifar_100_has_its_fine_labels(tmp_path: Path) -> None:
    x, fine = pixels(200), np.arange(200) % 100
    records = np.hstack([(fine[:, None] // 5).astype(np.uint8), fine[:, None].astype(np.uint8), x])
    for name in ("train", "test"):
        (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    classes, parts = reader(f"cifar100:{tmp_path}").read(None)
    assert len(classes) == 100
    assert (parts["train"].labels == fine).all()


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    for name in ("data_batch_1", "test_batch"):
        (tmp_path / name).write_bytes(pickle.dumps({b"data": Evil(), b"labels": []}))
    with pytest.raises(WrongData, match="would run"):
        reader(f"cifar10:{tmp_path}").read(None)
    assert not (tmp_path / "ran").exists()


def folder_of_images(root: Path, parts: tuple[str, ...]) -> None:
    for part in parts:
        for label, name in enumerate(("cat", "dog")):
            (root / part / name).mkdir(parents=True)
            for i in range(8):
                shade = np.full((20 + i, 30, 3), 100 * label + i, np.uint8)
                Image.fromarray(shade).save(root / part / name / f"{i}.png")


def test_a_folder_of_images_is_read_by_class(tmp_path: Path) -> None:
    folder_of_images(tmp_path, ("train", "val", "test"))
    classes, parts = reader(f"folder:{tmp_path}").read((16, 12))
    assert classes == ("cat", "dog")
    assert parts["train"].images.shape == (16, 16, 12, 3)
    assert parts["validation"].images[:, 8, 6, 0].tolist() == [*range(8), *range(100, 108)]
    assert parts["test"].labels.tolist() == [0] * 8 + [1] * 8


def test_a_folder_without_parts_is_parted_by_class(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "all", ("",))
    data = prepare(f"folder:{tmp_path / 'all'}", (8, 8), tmp_path / "data")
    assert dict(data.sizes) == {"train": 8, "validation": 4, "test": 4}
    assert np.bincount(data.part("test").labels).tolist() == [2, 2]


@pytest.mark.parametrize(("images", "validation"), [(400, 90), (4000, 500), (8000, 900)])
def test_a_small_data_set_gives_a_larger_share_for_validation(images: int, validation: int) -> None:
    parts = parted({"train": Part(np.zeros((images, 1, 1, 3), np.uint8), np.arange(images) % 10)})
    sizes = {name: len(part) for name, part in parts.items()}
    assert sizes == {"test": images // 4, "validation": validation, "train": images * 3 // 4 - validation}


def test_arrays_are_read_as_keras_saves_them(tmp_path: Path) -> None:
    x, y = RANDOM.integers(0, 256, (60, 28, 28), np.uint8), np.arange(60) % 3
    np.savez(tmp_path / "m.npz", x_train=x, y_train=y, x_test=x[:9] / 255.0, y_test=y[:9])
    data = prepare(f"npz:{tmp_path / 'm.npz'}", None, tmp_path / "data")
    assert data.side == (28, 28)
    assert (data.part("test").images == x[:9, ..., None]).all()
    assert data.classes == ("0", "1", "2")


def test_images_are_made_normal_by_the_training_images(tmp_path: Path) -> None:
    data = prepare("digits", None, tmp_path)
    images = data.normal(data.part("train").images, "float64")
    assert images.mean((0, 1, 2)) == pytest.approx([0, 0, 0], abs=1e-12)
    assert images.std((0, 1, 2)) == pytest.approx([1, 1, 1], abs=1e-9)


def test_the_same_data_are_laid_down_once(tmp_path: Path) -> None:
    first = prepare("digits", None, tmp_path)
    before = (Path(first.folder) / "data.json").stat().st_mtime_ns
    assert prepare("digits", None, tmp_path) == first
    assert (Path(first.folder) / "data.json").stat().st_mtime_ns == before
    assert prepare("digits", (16, 16), tmp_path).digest != first.digest


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    y = np.arange(60) % 3
    np.savez(tmp_path / "m.npz", x=np.zeros((60, 8, 8), np.uint8), y=y)
    first = prepare(f"npz:{tmp_path / 'm.npz'}", None, tmp_path / "data")
    np.savez(tmp_path / "m.npz", x=np.ones((60, 8, 8), np.uint8), y=y)
    os.utime(tmp_path / "m.npz", ns=(1, 1))
    assert prepare(f"npz:{tmp_path / 'm.npz'}", None, tmp_path / "data").digest != first.digest


def test_no_digit_of_clutter_is_in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    drawn = readers.Clutter.drawn
    monkeypatch.setattr(readers.Clutter, "COUNTS", dict.fromkeys(readers.Clutter.COUNTS, 2))
    monkeypatch.setattr(readers.Clutter, "drawn", lambda self, own, *rest: used.append(own) or drawn(self, own, *rest))
    reader("clutter").read(None)
    assert sum(map(len, used)) == 1797
    whole = np.concatenate([part.reshape(len(part), -1) for part in used])
    images, _ = readers.digits()
    assert len(np.unique(whole, axis=0)) == len(np.unique(images.reshape(1797, -1), axis=0))


@pytest.mark.parametrize("seed", range(5))
def test_smaller_fractions_lie_within_larger_ones(seed: int) -> None:
    labels = np.arange(1000) % 7
    parts = [set(subset(labels, fraction, seed).tolist()) for fraction in (0.01, 0.05, 0.3, 1.0)]
    assert all(small < large for small, large in pairwise(parts))
    assert all(len({labels[i] for i in part}) == 7 for part in parts)
    assert len(parts[2]) == pytest.approx(300, abs=7)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("digit", "did you mean `digits`"), ("digits:x", "takes no path"), ("npz", "needs the path"),
        ("folder:{tmp}/none", "No such file"), ("npz:{tmp}/text", "cannot be read"),
        ("cifar10:{tmp}", "no data_batch_1"), ("cifar10:{tmp}/text", "not a tar file"),
        ("npz:{tmp}/bad.npz", "has no x_train"), ("folder:{tmp}", "fewer than two"),
        ("npz:{tmp}/one.npz", "one class"), ("npz:{tmp}/object.npz", "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_data_set_is_told(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "text").write_text("no data")
    np.savez(tmp_path / "bad.npz", z=np.zeros(3))
    np.savez(tmp_path / "one.npz", x=np.zeros((20, 4, 4), np.uint8), y=np.zeros(20, int))
    np.savez(tmp_path / "object.npz", x=np.array([object()]), y=np.zeros(1, int))
    with pytest.raises((WrongData, OSError)) as caught:
        prepare(source.format(tmp=tmp_path), (8, 8), tmp_path / "data")
    assert said in f"{caught.value} {getattr(caught.value, 'help', '')}"
    assert not list((tmp_path / "data").glob("*/data.json")) if (tmp_path / "data").exists() else True


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "all", ("",))
    (tmp_path / "all" / "dog" / "3.png").write_bytes(b"\x89PNG")
    with pytest.raises(WrongData, match=r"3\.png cannot be read"):
        prepare(f"folder:{tmp_path / 'all'}", (8, 8), tmp_path / "data")
    assert not list((tmp_path / "data").glob("*")) if (tmp_path / "data").exists() else True


SHADES = np.linspace(0, 255, 256).reshape(16, 16).round().astype(np.uint8)
RGB = np.dstack([SHADES] * 3)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("grey.png", Image.fromarray(SHADES)),
        ("grey_alpha.png", Image.fromarray(np.dstack([SHADES, 0 * SHADES]))),
        ("alpha.png", Image.fromarray(np.dstack([RGB, 0 * SHADES]))),
        ("16bit.png", Image.fromarray(SHADES.astype(np.uint16) * 257)),
        ("16bit.tif", Image.fromarray(SHADES.astype(np.uint16) * 257)),
        ("print.tif", Image.fromarray(255 - RGB).convert("CMYK")),
        ("colours.bmp", Image.fromarray(RGB)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_image_of_any_format_has_its_shades(tmp_path: Path, name: str, image: Image.Image) -> None:
    image.save(tmp_path / name)
    expected = 255 - RGB if name.startswith("print") else RGB
    assert (readers.decoded(tmp_path / name, (16, 16)) == expected).all()


def test_a_palette_with_transparent_colours_is_read(tmp_path: Path) -> None:
    image = Image.fromarray(RGB).quantize(16)
    expected = np.asarray(image.convert("RGB"))
    image.save(tmp_path / "p.png", transparency=bytes(16))
    assert (readers.decoded(tmp_path / "p.png", (16, 16)) == expected).all()


def test_a_camera_that_was_turned_is_turned_back(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # Exif 2.32, tag Orientation: the top of the scene is the right side of the file
    Image.fromarray(np.rot90(RGB)).save(tmp_path / "t.png", exif=turned)
    assert (readers.decoded(tmp_path / "t.png", (16, 16)) == RGB).all()


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_an_image_that_does_not_say_what_is_white_is_told(tmp_path: Path, kind: type) -> None:
    Image.fromarray(SHADES.astype(kind)).save(tmp_path / "deep.tif")
    with pytest.raises(WrongData, match=r"deep\.tif has pixels of 32 bits"):
        readers.decoded(tmp_path / "deep.tif", (8, 8))


@pytest.mark.parametrize("name", ["t.png", "t.jpg"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_an_image_that_was_cut_off_is_named(tmp_path: Path, name: str, share: float) -> None:
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: round(share * len(data))])
    with pytest.raises(WrongData, match=rf"{name} cannot be read"):
        readers.decoded(tmp_path / name, (8, 8))


def test_the_reader_of_pickles_takes_what_python_2_wrote() -> None:
    held = {b"data": np.arange(6, dtype=np.uint8).reshape(2, 3), b"labels": [1, 2]}
    found = readers.Arrays(io.BytesIO(pickle.dumps(held, protocol=2)), encoding="bytes").load()
    assert (readers.unpacked(found[b"data"]) == held[b"data"]).all()


class Forged:
    """An array of pointers that says that it holds numbers: numpy would follow them."""

    def __reduce__(self) -> tuple[Any, ...]:
        return multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, (2,), ForgedKind(), False, b"A" * 16)


class ForgedKind:
    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, ("O", False, True), (3, "|", None, None, None, -1, -1, 0)


def test_a_pickle_of_pointers_is_refused(tmp_path: Path) -> None:
    for name in ("data_batch_1", "test_batch"):
        (tmp_path / name).write_bytes(pickle.dumps({b"data": Forged(), b"labels": []}, protocol=2))
    with pytest.raises(WrongData, match="its values are object, and not numbers"):
        reader(f"cifar10:{tmp_path}").read(None)
