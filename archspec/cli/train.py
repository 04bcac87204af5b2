"""`archspec train` and `archspec evaluate`: one network, on one's own images."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from archspec.cli.options import Folder, Parameters, SpecName, with_image, with_limits, with_parameters
from archspec.cli.output import say, show, show_json
from archspec.cli.training import prepared, progress, recipe, with_training
from archspec.escape import json_text
from archspec.limits import Limits
from archspec.optional import needing
from archspec.sheet import Sheet, plain
from archspec.tensor import Shape

if TYPE_CHECKING:
    from archspec.train.evaluation import Measured

NORMAL = click.option(
    "--normal", type=click.Choice(["data", "imagenet", "symmetric"]), default="data", show_default=True,
    help="With which mean and deviation images are made normal: those of the training images, ImageNet's, or -1 to 1.",
)  # fmt: skip


@click.command()
@click.argument("spec", metavar="SPEC", type=SpecName())
@with_training
@with_parameters
@with_image
@NORMAL
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of weights and order.")
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Canonical weights to begin with.")
@click.option("--accelerator", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--devices", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N",
              help="Processes or GPUs that share every batch (torch: DDP).")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Of each process.  [default: all cores]")
@click.option("-o", "--output", type=Folder(), default=Path("archspec-train"),
              show_default=True, metavar="DIR", help="Where weights, curves and checkpoints go.")  # fmt: skip
@click.option(
    "--save", type=click.Path(path_type=Path), metavar="FILE", help="Save the trained model, as `build -o` does."
)
@with_limits
def train(
    spec: str,
    source: str,
    backend: str,
    params: Parameters,
    image: Shape | None,
    normal: str,
    seed: int,
    weights: Path | None,
    accelerator: Literal["cpu", "gpu"],
    devices: int,
    threads: int | None,
    output: Path,
    save: Path | None,
    rates: tuple[float, ...],
    width: float | None,
    stride: int | None,
    limits: Limits,
    **training: Any,
) -> None:
    """Train one network, on your own images if you like, and save its weights in the canonical form.

    Stopped or killed, the same command goes on from the last checkpoint. Of several learning rates the one is kept
    whose run is best on the validation images.

    \b
    Examples:
      archspec train mobilenet_v2 -p alpha=0.35 --stride 16 --lr 0.002
      archspec train resnet18 --data folder:photos --input 96x96 --steps 5000 --schedule cosine --augment crop-flip
      archspec train net.arch --data cifar10:cifar-10-python.tar.gz --lr 0.002 --save net.pth
    """
    with needing("training", "train"):
        from archspec.backend import get
        from archspec.train.members import members
        from archspec.train.protocol import GRID
        from archspec.train.rates import edge
        from archspec.train.record import merit
        from archspec.train.scale import Scale
        from archspec.train.task import Task, Trains
        from archspec.train.trained import normalised, opened
        from archspec.train.trained import train as trained
        from archspec.weights import load as load_weights

        chosen = get(backend, Trains)
        if save is not None and save.suffix not in chosen.formats:
            raise click.UsageError(f"{save.name}: the {backend} backend saves {', '.join(chosen.formats)}")
        chosen.ready()
        data = normalised(prepared(source, image, output / "data", limits), normal)
        scale = Scale(stride=stride, width=width or 1.0)
        graph = members([spec], dict(params), scale, len(data.classes), data.side, limits)[0].graph
        start = load_weights(weights, graph) if weights is not None else None
        rates = rates or GRID
        tasks = [
            Task(graph, data, recipe(1000, **training), backend, seed, 1.0, rate, accelerator, devices,
                 threads or each(os.cpu_count() or 1, accelerator, devices), weights=start)
            for rate in rates
        ]  # fmt: skip
        try:
            with progress(output / "runs") as told:
                told("training", tasks)
                records = {rate: trained(task, output) for rate, task in zip(rates, tasks, strict=True)}
                rate = max(records, key=lambda rate: merit(records[rate].best))
                record = trained(tasks[rates.index(rate)], output)
        except KeyboardInterrupt:
            say(f"stopped; the same command goes on from the last checkpoint in {output / 'runs'}", err=True)
            raise
        if save is not None:
            about, best = opened(output)
            chosen.save(chosen.build(about.graph, weights=best), about.graph, save)
    best_point, beyond = record.best, edge(rate, rates)
    if beyond:
        say(f"{rate:g} is the {beyond} learning rate that was tried; a better one may lie beyond it (--lr)")
    say(
        f"{record.status}; best after {best_point.step} steps with a learning rate of {rate:g}: validation accuracy "
        f"{best_point.validation:.4f}, test {record.test:.4f}, training {record.train:.4f}"
    )
    say(f"saved to {output / 'weights.safetensors'}" + (f" and {save}" if save is not None else ""))


def each(cores: int, accelerator: str, devices: int) -> int:
    """The threads of every process, where nobody says."""
    return cores if accelerator == "gpu" else max(1, cores // devices)


@click.command()
@click.argument("spec", metavar="SPEC|DIR", type=SpecName())
@click.option("--data", "source", metavar="DATA",
              help="As for train.  [default: what DIR was trained on, or digits]")  # fmt: skip
@click.option("--part", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True,
              help="Which images.")  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Canonical weights of SPEC.")
@click.option("--backend", default="torch", show_default=True, help="Which framework runs it.")
@with_parameters
@with_image
@NORMAL
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_limits
def evaluate(
    spec: str,
    source: str | None,
    part: str,
    weights: Path | None,
    backend: str,
    params: Parameters,
    image: Shape | None,
    normal: str,
    form: str,
    limits: Limits,
) -> None:
    """Say how good trained weights are on images: loss, top-1, top-5, and the recall of every class.

    DIR is a folder that `archspec train` wrote; else SPEC is a network, and --weights a file of its weights.

    \b
    Examples:
      archspec evaluate archspec-train
      archspec evaluate archspec-train --data folder:photos --part validation
      archspec evaluate resnet50 --weights resnet50.safetensors --data folder:imagenet --input 224x224 --normal imagenet
    """
    with needing("training", "train"):
        from msgspec.structs import replace

        from archspec import driver
        from archspec.train.members import with_logits
        from archspec.train.trained import evaluate as evaluated
        from archspec.train.trained import normalised, opened
        from archspec.weights import load as load_weights

        if Path(spec).is_dir():
            about, tensors = opened(Path(spec))
            side = about.graph.input.shape
            used = source or about.source
            data = replace(
                prepared(used, image or side, Path(spec) / "data", limits), mean=about.mean, deviation=about.deviation
            )
            graph = about.graph
        else:
            if weights is None:
                raise click.UsageError("--weights says which; or give the folder that `archspec train` wrote")
            whole = driver.load(spec, limits).elaborate(image, **dict(params))
            tensors, graph = load_weights(weights, whole), with_logits(whole)
            data = normalised(prepared(source or "digits", whole.input.shape, cache(), limits), normal)
        found = evaluated(graph, tensors, data, part, backend)
    if form == "json":
        show_json(as_json(found, data.classes))
    else:
        show(as_table(found, data.classes))


def cache() -> Path:
    """Where data lie that no run belongs to."""
    return Path(click.get_app_dir("archspec")) / "data"


def as_table(found: "Measured", classes: tuple[str, ...]) -> str:
    rows = tuple(
        (name, int(row.sum()), f"{row[i] / max(1, row.sum()):.4f}")
        for i, (name, row) in enumerate(zip(classes, found.confusion, strict=True))
    )
    head = f"{found.images} images: top-1 {found.accuracy:.4f}, top-5 {found.top5:.4f}, cross-entropy {found.loss:.4f}"
    return f"{head}\n\n{plain(Sheet('', ('class', 'images', 'recall'), rows))}"


def as_json(found: "Measured", classes: tuple[str, ...]) -> str:
    return json_text({
        "images": found.images, "accuracy": found.accuracy, "top5": found.top5, "loss": found.loss,
        "classes": list(classes), "confusion": found.confusion.tolist(),
    }, indent=2)  # fmt: skip
