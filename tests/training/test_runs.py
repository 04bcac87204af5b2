"""Runs: the same to the last bit however they are interrupted, and trained as the recipe says."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from training.small import RECIPE, SPEC, digits, small, task

import archspec
from archspec import backend
from archspec.backend import Builds
from archspec.errors import Refusal
from archspec.train import runs
from archspec.train.batches import Batches
from archspec.train.protocol import Recipe
from archspec.train.task import Trains, Watch
from archspec.weights import draw


def test_a_run_that_was_stopped_goes_on_to_the_same_end(tmp_path: Path) -> None:
    work = replace(task(digits(tmp_path / "data")), every=0.0)
    whole = runs.execute(work, tmp_path / "whole")

    class Stop(Exception):
        pass

    steps: list[int] = []
    write = runs.write

    def stopping(path: Path, value: dict[str, int]) -> None:
        write(path, value)
        if path.name == runs.PROGRESS:
            steps.append(value["step"])
            if steps == [4, 8]:
                raise Stop

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runs, "write", stopping)
        with pytest.raises(Stop):
            runs.execute(work, tmp_path / "parts")
        assert runs.execute(work, tmp_path / "parts") == whole
    # the evaluation after step 8 was not laid down when it was stopped
    assert steps == [4, 8, 8, 12]


def test_an_address_follows_from_what_a_run_is(tmp_path: Path) -> None:
    data = digits(tmp_path)
    one = task(data)
    assert one.key == task(data).key
    assert one.key == replace(one, every=1.0).key
    renamed = one.graph.model_copy(update={"name": "other"})
    assert one.key == replace(one, graph=renamed).key
    others = [replace(one, seed=1), replace(one, fraction=0.5), replace(one, rate=0.1),
              replace(one, recipe=RECIPE.model_copy(update={"steps": 16})), replace(one, threads=2),
              task(data, graph=small(c=4)), replace(one, data=replace(data, mean=(0.0, 0.0, 0.0)))]  # fmt: skip
    assert len({one.key, *(other.key for other in others)}) == 8


def test_training_is_adamw_by_hand(tmp_path: Path) -> None:
    """The engine against a loop of torch's own: the same losses, and the same average of the weights."""
    data = digits(tmp_path / "data")
    recipe = Recipe(steps=10, interval=1, batch=16, warmup=4, dtype="float64", average=0.8)
    work = task(data, recipe, graph=small(drop=0.0), fraction=0.5)
    model = backend.get("torch", Builds).build(work.graph, weights=dict(draw(work.graph, 0)), dtype="float64")
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.01)
    batches = Batches(data, recipe, 0, 0.5)
    average: dict[str, torch.Tensor] = {}
    losses = []
    for step in range(10):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * min(1, (step + 1) / 4)
        images, labels = batches.step(step)
        loss = torch.nn.functional.cross_entropy(
            model(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())), torch.from_numpy(labels)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        keep = min(0.8, step / (9 + step))
        for name, value in model.state_dict().items():
            average[name] = keep * average[name] + (1 - keep) * value if step else value.clone()
    kept: list[dict[str, np.ndarray]] = []  # type: ignore[type-arg]
    watch = Watch(lambda weights: kept.append(dict(weights)))
    (tmp_path / "run").mkdir()
    backend.get("torch", Trains).fit(work, watch, tmp_path / "run")
    assert [point.loss for point in watch.points] == pytest.approx(losses, abs=1e-12)
    best = max(range(10), key=lambda i: (watch.points[i].validation, -(watch.points[i].validation_loss or 0)))
    if best == 9:
        keys = backend.get("torch", Builds).keys(work.graph)
        for name, value in kept[-1].items():
            assert value == pytest.approx(average[keys[name]].numpy(), abs=1e-12)


@pytest.mark.parametrize("mark", ["", "in training"])
def test_further_outputs_are_trained_too(tmp_path: Path, mark: str) -> None:
    text = f"""arch 1
network Two(k = 10) {{
  input 16 x 16 x 3
  body conv(3, 8, 2) -> bn -> relu as trunk -> conv(3, 8, 2) -> relu -> global_avgpool -> flatten -> linear(k)
  output aux = @trunk -> global_avgpool -> flatten -> linear(k) {mark}
}}
"""
    graph = archspec.parse(text).elaborate()
    (name,) = [name for name in graph.tensors() if name.startswith("aux") and name.endswith("weight")]
    kept: list[dict[str, np.ndarray]] = []  # type: ignore[type-arg]
    (tmp_path / "run").mkdir()
    work = task(digits(tmp_path / "data"), graph=graph)
    backend.get("torch", Trains).fit(work, Watch(lambda weights: kept.append(dict(weights))), tmp_path / "run")
    before = dict(draw(graph, 0))[name]
    assert np.abs(kept[-1][name] - before).max() > 1e-3


def test_a_run_that_diverges_ends_and_is_marked(tmp_path: Path) -> None:
    record = runs.execute(task(digits(tmp_path / "data"), rate=1e30), tmp_path / "runs")
    assert record.status == "diverged"
    assert len(record.points) < 3


def test_every_network_sees_the_same_images_in_the_same_order(tmp_path: Path) -> None:
    data = digits(tmp_path)
    one, other = (Batches(data, RECIPE, 3, 0.5) for _ in range(2))
    for step in (0, 5, 100):
        assert (one.step(step)[0] == other.step(step)[0]).all()
    assert not (one.step(0)[0] == Batches(data, RECIPE, 4, 0.5).step(0)[0]).all()


def test_an_epoch_shows_every_image_once(tmp_path: Path) -> None:
    data = digits(tmp_path)
    batches = Batches(data, Recipe(batch=8), 0, 0.05)
    places = batches.places
    seen = Counter(image.tobytes() for step in range(len(places)) for image in batches.step(step)[0])
    held = Counter(image.tobytes() for image in data.normal(data.part("train").images[places], "float32"))
    assert seen == {image: 8 * count for image, count in held.items()}


@pytest.mark.parametrize("how", ["none", "flip", "crop", "crop-flip"])
def test_augmentation_is_a_function_of_seed_and_step(tmp_path: Path, how: str) -> None:
    data = digits(tmp_path)
    recipe = RECIPE.model_copy(update={"augment": how})
    plain = Batches(data, RECIPE, 0, 1.0).step(2)[0]
    found = [Batches(data, recipe, 0, 1.0).step(2)[0] for _ in range(2)]
    assert (found[0] == found[1]).all()
    assert found[0].shape == plain.shape
    assert (found[0] == plain).all() == (how == "none")


def test_a_schedule_rises_and_stays_or_falls() -> None:
    constant, cosine = Recipe(steps=100, warmup=10), Recipe(steps=100, warmup=10, schedule="cosine")
    assert [round(constant.rate(step), 3) for step in (0, 4, 9, 10, 99)] == [0.1, 0.5, 1, 1, 1]
    assert cosine.rate(10) == 1
    assert cosine.rate(55) == pytest.approx(0.5)
    assert cosine.rate(99) < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("batch", [16, 15])
def test_two_processes_that_share_a_batch_learn_what_one_does(tmp_path: Path, batch: int) -> None:
    """Without batch normalisation, whose statistics each has of its own share."""
    text = SPEC.replace("-> bn", "")
    graph = archspec.parse(text).elaborate(drop=0.0)
    recipe = Recipe(steps=9, interval=3, batch=batch, warmup=2, dtype="float64")
    data = digits(tmp_path / "data", (32, 32))
    one, two = (
        runs.execute(replace(task(data, recipe, graph=graph), devices=devices, every=0.0), tmp_path / "runs")
        for devices in (1, 2)
    )
    assert [point.step for point in two.points] == [3, 6, 9]
    assert two.test == one.test
    for what in ("loss", "validation_loss"):
        assert [getattr(p, what) for p in two.points] == pytest.approx(
            [getattr(p, what) for p in one.points], abs=1e-12
        )


def test_more_processes_than_images_of_a_step_are_told(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="has none for some of 17"):
        runs.execute(replace(task(digits(tmp_path / "data")), devices=17), tmp_path / "runs")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="torch sees 0 GPUs"):
        runs.execute(replace(task(digits(tmp_path / "data")), accelerator="gpu"), tmp_path / "runs")
