"""Training by Lightning: a Graph, batches and a recipe -> a record.

An epoch of Lightning's is what lies between two evaluations, so that a checkpoint is always one of an evaluation.
"""

import logging
import os
import sys
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from multiprocessing import set_forkserver_preload
from pathlib import Path
from pickle import UnpicklingError
from time import monotonic
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from archspec.backend import BackendError
from archspec.files import whole_file
from archspec.train.batches import Batches
from archspec.train.record import Point
from archspec.train.runs import end_with
from archspec.train.task import Measured, Task, Watch
from archspec_torch.checkpoint import array
from archspec_torch.runtime import Builder, build, canonical, evaluating
from archspec_torch.vision import operators_missing

# TensorBoard's writer would import TensorFlow where it is installed, for seconds; this name keeps it from that
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
with operators_missing():
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import Checkpoint
    from lightning.pytorch.loggers import TensorBoardLogger
    from lightning.pytorch.strategies import DDPStrategy

RESUME = "resume.ckpt"
EPSILON = 1e-8
Tensors = tuple[Tensor, ...] | list[Tensor]


def fit(task: Task, watch: Watch, folder: Path) -> None:
    """Train a network as the task says, from the last checkpoint in the folder if there is one."""
    quiet()
    check(task)
    module = Member(task, watch)
    trainer = Trainer(
        max_epochs=task.recipe.evaluations,
        accelerator=task.accelerator,
        devices=task.devices,
        strategy="auto" if task.devices == 1 else Processes(task.threads),
        logger=TensorBoardLogger(folder, name=None, version="tensorboard"),
        callbacks=[Checkpoints(folder / RESUME, task.every)],
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=task.recipe.interval,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
    )
    resume = folder / RESUME
    try:
        trainer.fit(module, ckpt_path=str(resume) if resume.exists() else None, weights_only=True)
    except UnpicklingError:
        raise NotOurs(f"{resume}: more than numbers is in it, and loading it could run code",
                      "delete it: training begins anew") from None  # fmt: skip
    except (ProcessRaisedException, ProcessExitedException) as error:
        raise Ended(f"one of the {task.devices} processes ended: {str(error).strip().splitlines()[-1]}",
                    "the same command goes on from the last checkpoint") from None  # fmt: skip
    resume.unlink(missing_ok=True)


class NotOurs(BackendError):
    """What is to be gone on from was not written by us."""

    exit_code = 3


class Ended(BackendError):
    """A process that trains has ended before its time."""

    exit_code = 3


class Processes(DDPStrategy):
    """Processes that share every batch. They begin with what this module imports, in the order in which it does."""

    def __init__(self, threads: int) -> None:
        set_forkserver_preload([__name__])
        super().__init__(start_method="forkserver")
        self.threads = threads

    def setup_environment(self) -> None:
        """The beginning of each of them."""
        quiet()
        torch.set_num_threads(self.threads)
        end_with(os.getppid())
        # torch passes tensors on in shared memory, where every process would make every other one's steps
        module = self.lightning_module
        assert module is not None
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = tensor.data.clone()
        super().setup_environment()


def check(task: Task) -> None:
    """Raise `BackendError` where this machine cannot do what the task says."""
    if task.accelerator == "gpu" and torch.cuda.device_count() < task.devices:
        raise BackendError(f"torch sees {torch.cuda.device_count()} GPUs, and --devices are {task.devices}",
                           "--accelerator cpu")  # fmt: skip
    if task.recipe.batch < task.devices:
        raise BackendError(f"a batch of {task.recipe.batch} images has none for some of {task.devices} processes",
                           f"--batch {task.devices} or more")  # fmt: skip


def quiet() -> None:
    """Lightning tells of the machine, and advises; the one who reads here asked for neither."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")


class Steps(Dataset[tuple[Tensor, Tensor]]):
    """The batches from one step to another; of a batch, the share of one process among several."""

    def __init__(self, batches: Batches, start: int, end: int, rank: int, processes: int) -> None:
        self.batches, self.start, self.end = batches, start, end
        self.share = slice(rank, None, processes)

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        if place >= len(self):
            raise IndexError(place)
        images, labels = self.batches.step(self.start + place)
        return tensors(images[self.share], labels[self.share])


def tensors(images: Any, labels: Any) -> tuple[Tensor, Tensor]:
    """A batch as torch has it: N×3×h×w, channels last, and N."""
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)


class Member(LightningModule):
    """A network in training, and the average of its weights, which is what is evaluated."""

    def __init__(self, task: Task, watch: Watch) -> None:
        super().__init__()
        torch.set_num_threads(task.threads)
        self.task, self.watch, self.recipe = task, watch, task.recipe
        net = build(task.graph, seed=task.seed, weights=task.weights, dtype=self.recipe.dtype)
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(self.net, use_buffers=True, multi_avg_fn=self.averaged).requires_grad_(False)
        self.batches = task.batches()
        self.losses: list[Tensor] = []

    def averaged(self, average: Tensors, current: Tensors, updates: Tensor | int) -> None:
        """Bring the average of tensors of one type nearer to what they are."""
        if not average[0].is_floating_point():
            torch._foreach_copy_(average, current)
        else:
            torch._foreach_lerp_(average, current, 1 - self.recipe.averaging(int(updates)))

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        start = self.trainer.current_epoch * self.recipe.interval
        end = min(start + self.recipe.interval, self.recipe.steps)
        steps = Steps(self.batches, start, end, self.trainer.global_rank, self.trainer.world_size)
        return DataLoader(steps, batch_size=None)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=self.task.rate, weight_decay=self.recipe.decay, eps=EPSILON, fused=True
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.recipe.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Any, place: int) -> None:
        # what dropout draws follows from the step, so that it is the same after a stop
        torch.manual_seed(hash((self.task.seed, self.trainer.global_step, self.trainer.global_rank)) % 2**63)

    def training_step(self, batch: tuple[Tensor, Tensor], place: int) -> Tensor:
        images, labels = batch
        # processes are averaged, and one may have an image more than another
        share = len(labels) * self.trainer.world_size / self.recipe.batch
        first, *others = outputs(self.net(images))
        loss = share * cross_entropy(first, labels)
        self.losses.append(loss.detach())
        for other in others:
            loss = loss + self.recipe.auxiliary * share * cross_entropy(other, labels)
        return loss

    def on_train_batch_end(self, found: Any, batch: Any, place: int) -> None:
        self.average.update_parameters(self.net)

    def on_train_epoch_end(self) -> None:
        strategy = self.trainer.strategy
        mean = torch.stack(self.losses).cpu().double().mean()
        loss = float(strategy.reduce(mean.to(self.device), reduce_op="mean") if self.trainer.world_size > 1 else mean)
        self.losses.clear()
        fine = True
        if self.trainer.is_global_zero:
            fine = self.watch.evaluate(self.global_step, loss, self.measure, self.weights)
            point = self.watch.points[-1].model_dump(exclude={"step"}, exclude_none=True)
            if self.logger is not None:
                self.logger.log_metrics(point, self.global_step)
        self.trainer.should_stop = not strategy.broadcast(fine)

    @torch.no_grad()
    def measure(self) -> Measured:
        """Loss and accuracy of the average on the validation images."""
        count, lost, right = 0, 0.0, 0
        net = self.average.module
        with evaluating(net):
            for batch in self.batches.evaluation("validation"):
                images, labels = (tensor.to(self.device) for tensor in tensors(*batch))
                logits, *_ = outputs(net(images))
                count += len(labels)
                lost += float(cross_entropy(logits, labels, reduction="sum"))
                right += int((logits.argmax(1) == labels).sum())
        return lost / count, right / count

    def weights(self) -> Mapping[str, Any]:
        """The average, by canonical names."""
        with torch.device("meta"):
            names = Builder(self.task.graph).run()[1]
        return {name: array(name, tensor.cpu()) for name, tensor in canonical(self.average.module, names)}

    def get_extra_state(self) -> dict[str, Any]:
        """The evaluations until now: part of every checkpoint, and of what other processes hand back at the end."""
        return {"points": [point.model_dump() for point in self.watch.points]}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.watch.points = [Point(**point) for point in state["points"]]


class Checkpoints(Checkpoint):
    """Lays a checkpoint down after an evaluation, where some time has passed since the last."""

    def __init__(self, path: Path, every: float) -> None:
        self.path, self.every, self.last = path, every, monotonic()

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        # all processes take part, and the first one writes
        if trainer.strategy.broadcast(monotonic() - self.last >= self.every):
            with whole_file(self.path) if trainer.is_global_zero else nullcontext(self.path) as temporary:
                trainer.save_checkpoint(temporary)
            self.last = monotonic()


def outputs(found: Any) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)
