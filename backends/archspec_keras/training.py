"""Training by Keras' `fit`: a Graph, batches and a recipe -> a record, by the same arithmetic as torch's.

An epoch of Keras' is what lies between two evaluations, so that a backup is always one of an evaluation. Three things
differ between the frameworks, and are brought to torch's form here: where Adam adds its epsilon, what the running
variance is an estimate of, and the average of all weights, which Keras takes of trained ones alone.
"""

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from time import monotonic
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from archspec.backend import BackendError
from archspec.train.batches import Batches
from archspec.train.record import Point
from archspec.train.task import Measured, Task, Watch
from archspec_keras.layouts import canonical
from archspec_keras.quiet import unadvised
from archspec_keras.runtime import build, variables

BACKUP, POINTS = "backup-", "points.json"
EPSILON = 1e-8


def fit(task: Task, watch: Watch, folder: Path) -> None:
    """Train a network as the task says, from the last backup in the folder if there is one."""
    if keras.backend.backend() != "tensorflow":
        raise BackendError("the keras backend trains on TensorFlow", "KERAS_BACKEND=tensorflow")
    if task.devices != 1 or task.accelerator != "cpu":
        raise BackendError("the keras backend trains in one process on the CPU", "--backend torch has --devices")
    alone(task.threads)
    recipe, batches = task.recipe, task.batches()
    member = Member(task)
    last = newest(folder)
    begun = 0 if last is None else int(last.name.removeprefix(BACKUP))
    if last is not None:
        watch.points = [Point(**point) for point in json.loads((last / POINTS).read_bytes())]
    with warnings.catch_warnings(), unadvised():
        # the last epoch may be shorter, and then has no more data
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        member.fit(
            steps(batches, begun * recipe.interval, recipe.steps),
            epochs=recipe.evaluations,
            steps_per_epoch=recipe.interval,
            shuffle=False,
            verbose=0,
            callbacks=[
                Evaluations(task, batches, watch),
                Backups(folder, last, watch, task.every),
                keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False),
            ],
        )
    for backup in folder.glob(f"{BACKUP}*"):
        shutil.rmtree(backup, ignore_errors=True)


def alone(threads: int) -> None:
    """Compute with so many threads; TensorFlow can be told so only before it has begun."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass


def steps(batches: Batches, start: int, end: int) -> Iterator[tuple[Any, Any]]:
    for step in range(start, end):
        yield batches.step(step)


def newest(folder: Path) -> Path | None:
    """The last backup; they are renamed when they are whole."""
    return max(folder.glob(f"{BACKUP}*"), key=lambda path: int(path.name.removeprefix(BACKUP)), default=None)


class Member(keras.Model):  # type: ignore[misc]
    """A network in training, and the average of its weights, which is what is evaluated."""

    def __init__(self, task: Task) -> None:
        numbers = task.recipe.dtype
        super().__init__(dtype=numbers)
        self.task = task
        graph = task.graph.with_all_outputs()
        self.net = build(graph, seed=task.seed, weights=task.weights, dtype=numbers)
        self.average = build(graph, seed=task.seed, weights=task.weights, dtype=numbers)
        self.average.trainable = False
        self.first_loss = keras.metrics.Mean(name="first_loss", dtype=numbers)
        self.keeps = tf.constant([task.recipe.averaging(step) for step in range(task.recipe.steps)], numbers)
        self.norms = [
            (layer.moving_variance, layer.momentum, task.recipe.batch * prod(layer.input.shape[1:-1]))
            for layer in self.net.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        self.chances = [
            (layer.seed_generator.state, ops.convert_to_numpy(layer.seed_generator.state)[0])
            for layer in self.net.layers
            if getattr(layer, "seed_generator", None) is not None
        ]
        self.compile(optimizer=AdamW(task, numbers), jit_compile=False)
        self.built = True
        self.optimizer.build(self.trainable_variables)

    def call(self, images: Any, training: bool | None = None) -> Any:
        return self.net(images, training=training)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *others: Any, **further: Any) -> Any:
        """Cross-entropy of the first output, and that of further ones with their weight."""
        first, *rest = y_pred if isinstance(y_pred, (list, tuple)) else [y_pred]
        loss = entropy(y, first)
        self.first_loss.update_state(loss)
        for other in rest:
            loss += self.task.recipe.auxiliary * entropy(y, other)
        return loss

    def train_step(self, data: Any) -> Any:
        """A step of Keras', and what it leaves out."""
        step = tf.cast(self.optimizer.iterations.value, tf.int32)
        for state, seed in self.chances:
            # what dropout draws follows from the step: Keras' backups leave it out
            state.assign(tf.stack([tf.constant(seed), tf.cast(step, state.dtype)]))
        before = [tf.identity(variance.value) for variance, _, _ in self.norms]
        logs = super().train_step(data)
        for old, (variance, momentum, count) in zip(before, self.norms, strict=True):
            # Keras' running variance is of the biased estimate, torch's of the unbiased one
            variance.assign(momentum * old + (variance.value - momentum * old) * (count / max(1, count - 1)))
        keep = self.keeps[step]
        for average, current in zip(self.average.weights, self.net.weights, strict=True):
            average.assign(keep * average.value + (1 - keep) * current.value)
        return logs


def entropy(labels: Any, logits: Any) -> Any:
    logits = ops.reshape(logits, (ops.shape(logits)[0], -1))
    return ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))


class Rates(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The learning rate of every step."""

    def __init__(self, task: Task, numbers: str) -> None:
        self.rates = tf.constant([task.rate * task.recipe.rate(step) for step in range(task.recipe.steps)], numbers)

    def __call__(self, step: Any) -> Any:
        return self.rates[tf.minimum(tf.cast(step, tf.int32), len(self.rates) - 1)]


class AdamW(keras.optimizers.Adam):  # type: ignore[misc]
    """AdamW as torch computes it: epsilon is added after the correction of the second moment, not before.

    Weights decay here and not by Keras' `weight_decay`: it takes its numbers, as it does the betas, to float32 first.
    """

    def __init__(self, task: Task, numbers: str) -> None:
        super().__init__(Rates(task, numbers), epsilon=EPSILON)
        self.decay = task.recipe.decay
        self.betas = tf.constant([self.beta_1, self.beta_2], numbers)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Loshchilov and Hutter, arXiv:1711.05101, Algorithm 2."""
        kind = variable.dtype
        rate, gradient = ops.cast(learning_rate, kind), ops.cast(gradient, kind)
        corrections = 1 - ops.power(ops.cast(self.betas, kind), ops.cast(self.iterations + 1, kind))
        place = self._get_variable_index(variable)
        m, v = self._momentums[place], self._velocities[place]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        step = rate / corrections[0] * m / (ops.sqrt(v) / ops.sqrt(corrections[1]) + self.epsilon)
        self.assign_sub(variable, rate * self.decay * variable + step)


class Evaluations(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells the watch of every epoch, and stops where it makes no sense to go on."""

    def __init__(self, task: Task, batches: Batches, watch: Watch) -> None:
        super().__init__()
        self.task, self.batches, self.watch = task, batches, watch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        step = min((epoch + 1) * self.task.recipe.interval, self.task.recipe.steps)
        loss = float(self.model.first_loss.result())
        fine = self.watch.evaluate(step, loss, self.measure, self.weights)
        if logs is not None:
            logs.update(self.watch.points[-1].model_dump(exclude={"step"}, exclude_none=True))
        self.model.stop_training = not fine

    def measure(self) -> Measured:
        """Loss and accuracy of the average on the validation images."""
        count, lost, right = 0, 0.0, 0
        for images, labels in self.batches.evaluation("validation"):
            found = self.model.average(images, training=False)
            logits = found[0] if isinstance(found, (list, tuple)) else found
            count += len(labels)
            lost += float(entropy(labels, logits)) * len(labels)
            right += int((ops.convert_to_numpy(logits).reshape(len(labels), -1).argmax(1) == labels).sum())
        return lost / count, right / count

    def weights(self) -> Mapping[str, Any]:
        """The average, by canonical names."""
        return {
            name: canonical(kind, called, ops.convert_to_numpy(variable))
            for name, (kind, called, variable) in variables(self.model.average, self.task.graph).items()
        }


class Backups(keras.callbacks.Callback):  # type: ignore[misc]
    """Keras' `BackupAndRestore`, whose files are there all or none, with the evaluations until then."""

    def __init__(self, folder: Path, last: Path | None, watch: Watch, every: float) -> None:
        super().__init__()
        self.folder, self.last, self.watch, self.every = folder, last, watch, every
        self.time = monotonic()

    def on_train_begin(self, logs: Any = None) -> None:
        if self.last is not None:
            self.keras(self.last).on_train_begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if monotonic() - self.time < self.every:
            return
        temporary = self.folder / "unfinished"
        shutil.rmtree(temporary, ignore_errors=True)
        self.keras(temporary).on_epoch_end(epoch)
        (temporary / POINTS).write_text(json.dumps([point.model_dump() for point in self.watch.points]), "utf-8")
        temporary.replace(self.folder / f"{BACKUP}{epoch + 1}")
        if self.last is not None:
            shutil.rmtree(self.last, ignore_errors=True)
        self.last, self.time = self.folder / f"{BACKUP}{epoch + 1}", monotonic()

    def keras(self, folder: Path) -> Any:
        """Keras' own for a folder."""
        made = keras.callbacks.BackupAndRestore(str(folder), delete_checkpoint=False)
        made.set_model(self.model)
        return made
