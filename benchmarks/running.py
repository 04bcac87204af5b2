"""Built models against the libraries' own, forward and training, eager and compiled; and what optimising buys."""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import archspec
from benchmarks.contests import Contest, Result, Task, compared, judged, main, results, results_table
from benchmarks.markdown import prose

OURS, OPTIMIZED = "archspec", "archspec --optimize"
LAST = "torchvision, channels_last"
ONNX, ONNX_OPTIMIZED = "onnxruntime", "onnxruntime --optimize"
NETWORKS = ("mobilenet_v2", "resnet50")
COMPILED = "mobilenet_v2"
BATCHES = (1, 8)
THREADS = (1, 2)
ROUNDS = {1: 9, 8: 5}
SIDE = 224


# ---- torch and onnxruntime ----


def torch_contests() -> Iterator[Contest]:
    import torch

    from benchmarks.counters import torchvision_model

    for name in NETWORKS:
        models = {"torchvision": torchvision_model(name), OURS: archspec.build(name).eval()}  # type: ignore[attr-defined]
        last = torchvision_model(name).to(memory_format=torch.channels_last)
        for_inference = {**models, LAST: last, OPTIMIZED: archspec.build(name, optimize=True)}
        for threads in THREADS:
            torch.set_num_threads(threads)
            sessions = {ONNX: session(name, False, threads), ONNX_OPTIMIZED: session(name, True, threads)}
            for batch in BATCHES:
                x = torch.randn(batch, 3, SIDE, SIDE)
                tasks = {who: partial(forward, model, x) for who, model in for_inference.items()}
                images = {"input": x.numpy()}
                tasks |= {who: partial(made.run, None, images) for who, made in sessions.items()}
                yield Contest(label(name, batch, f"{threads} thread{'s' * (threads > 1)}"), tasks, ROUNDS[batch], 2)
        torch.set_num_threads(THREADS[-1])
        yield from torch_training(models, name)
    yield from torch_compiled({"torchvision": torchvision_model(COMPILED), OURS: archspec.build(COMPILED)})


def label(name: str, batch: int, *what: str) -> str:
    return ", ".join([name, f"batch {batch}", *what])


def session(name: str, optimize: bool, threads: int) -> Any:
    """A session of onnxruntime for our model, which does not spin while others compute."""
    library = import_module("onnxruntime")
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model: Any = archspec.build(name, backend="onnx", optimize=optimize)
    return library.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def forward(model: Any, x: Any) -> None:
    import torch

    with torch.inference_mode():
        model(x)


def torch_training(models: Mapping[str, Any], name: str, *what: str) -> Iterator[Contest]:
    import torch

    for batch in BATCHES:
        x, y = torch.randn(batch, 3, SIDE, SIDE), torch.arange(batch)
        tasks = {}
        for who, model in models.items():
            optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
            tasks[who] = partial(step, model.train(), optimizer, x, y)
        yield Contest(label(name, batch, "training", *what), tasks, 7)


def step(model: Any, optimizer: Any, x: Any, y: Any) -> None:
    """One step of training."""
    import torch

    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def torch_compiled(models: Mapping[str, Any]) -> Iterator[Contest]:
    import torch

    for batch in BATCHES:
        torch.compiler.reset()
        x = torch.randn(batch, 3, SIDE, SIDE)
        made = {who: torch.compile(model.eval(), dynamic=False) for who, model in models.items()}
        yield Contest(label(COMPILED, batch, "compiled"), {w: partial(forward, m, x) for w, m in made.items()}, 9, 2)
    torch.compiler.reset()
    made = {who: torch.compile(model, dynamic=False) for who, model in models.items()}
    yield from (contest for contest in torch_training(made, COMPILED, "compiled") if "batch 8" in contest.name)


# ---- Keras ----


def keras_contests() -> Iterator[Contest]:
    from archspec_keras.quiet import quiet

    with quiet():
        import keras
        import tensorflow
    threads = THREADS[-1]
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    ours = partial(archspec.build, "mobilenet_v2_keras", backend="keras")
    # our networks give logits
    theirs = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    models: dict[str, Any] = {"keras.applications": theirs, OURS: ours()}
    both = {**models, OPTIMIZED: ours(optimize=True)}
    for batch in BATCHES:
        x, y = keras.random.normal((batch, SIDE, SIDE, 3)), keras.ops.arange(batch)
        eager: dict[str, Task] = {who: partial(model, x, training=False) for who, model in both.items()}
        yield Contest(label("MobileNetV2", batch, "eager"), eager, 9)
        for model in both.values():
            model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
        graph = {who: partial(model.predict_on_batch, x) for who, model in both.items()}
        yield Contest(label("MobileNetV2", batch, "graph"), graph, ROUNDS[batch], 2)
        training = {who: partial(model.train_on_batch, x, y) for who, model in models.items()}
        yield Contest(label("MobileNetV2", batch, "training, graph"), training, 3)


def measure(quick: bool) -> str:
    """The section of running."""
    torch, keras = (results("running", framework, quick, THREADS[-1]) for framework in ("torch", "keras"))

    def faster(name: str) -> str:
        return judged(torch, name, lambda result: result.ratio(name) < 1)

    remarks = (
        f"Targets. Built models are no slower than the libraries' own: {compared([*torch, *keras], OURS)}; where "
        "quartiles (in parentheses) overlap, the two are not to be told apart. `--optimize` is faster than "
        f"eager torchvision: {faster(OPTIMIZED)}; {span(torch, OPTIMIZED)}. It computes in the layout channels_last; "
        "what that alone gives torchvision's model is in a column of its own. "
        f"Our ONNX in onnxruntime likewise: {faster(ONNX)}; {span(torch, ONNX)}; "
        f"optimised: {faster(ONNX_OPTIMIZED)}; {span(torch, ONNX_OPTIMIZED)}. onnxruntime folds normalisations itself. "
        f"Images of {SIDE} pixels; training on {THREADS[-1]} threads, and all of Keras."
    )
    tables = [results_table("torch", torch), results_table("Keras", keras)]
    return "\n\n".join([*tables, prose(remarks)])


def span(found: list[Result], name: str) -> str:
    ratios = sorted(result.ratio(name) for result in found if name in result.spreads)
    return f"{ratios[0]:.2f} to {ratios[-1]:.2f} of its time"


if __name__ == "__main__":
    main({"torch": torch_contests, "keras": keras_contests})
