"""Where work is done: processes of this machine, or a cluster's, by joblib."""

import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from archspec.errors import Refusal
from archspec.optional import needing

TRACKERS = ("multiprocessing.resource_tracker", "joblib.externals.loky.backend.resource_tracker")


class NoCluster(Refusal):
    """An address is that of no kind of cluster."""

    exit_code = 2


class Unreachable(Refusal):
    """A cluster does not answer."""

    exit_code = 3


@contextmanager
def workers(jobs: int, cluster: str | None) -> Iterator[None]:
    """Where joblib runs what it is given; raises `Refusal`."""
    from joblib import parallel_config

    kind = (cluster or "loky").partition("://")[0]
    with ExitStack() as stack:
        if kind == "loky":
            # a worker that grew large, or had nothing to do, is followed by another: what was given to it is not lost
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given to the executor")
            # and a run that is ended has cancelled its tasks on purpose
            warnings.filterwarnings("ignore", message=r"\d+ tasks which were still being processed by the workers")
            # one thread each: two OpenMP threads on a busy machine of two cores were 4 to 10 times slower than one
            stack.enter_context(parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1))
        elif kind == "dask":
            stack.callback(dask(cluster).close)
            stack.enter_context(parallel_config("dask"))
        elif kind == "ray":
            stack.callback(ray(cluster))
            stack.enter_context(parallel_config("ray", n_jobs=-1))
        else:
            raise NoCluster(f"there is no cluster `{cluster}`", "dask://HOST:PORT or ray://HOST:PORT")
        yield


def answered(calls: Iterable[Any], *, ordered: bool = True, **how: Any) -> Iterator[Any]:
    """What calls give that joblib has delayed: as they are done, or all at the end where its workers have none sooner.

    `how` is given to `joblib.Parallel`.
    """
    from joblib import Parallel
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    streamed = getattr(backend, "supports_return_generator", False)
    form = ("generator" if ordered else "generator_unordered") if streamed else "list"
    with undisturbed() if streamed else nullcontext():
        answers = Parallel(return_as=form, batch_size=1, **how)(calls)
    yield from answers


@contextmanager
def undisturbed() -> Iterator[None]:
    """Processes that begin meanwhile get no signal but a kill, which the one that began them decides on.

    Ctrl-C reaches all of them. One that is loading modules would print where it was, and half of an answer would keep
    the other waiting for its end.
    """
    # what keeps account of shared memory lets signals through again when it is started, so that comes first
    for tracker in filter(None, map(sys.modules.get, TRACKERS)):
        if hasattr(tracker, "ensure_running"):
            tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def dask(cluster: str | None) -> Any:
    """A connection to a scheduler of Dask; without an address, `dask://`, to one of this machine's own."""
    with needing("a Dask cluster", "dask"):
        from distributed import Client
    address = (cluster or "").partition("://")[2]
    try:
        return Client(  # type: ignore[no-untyped-call]
            f"tcp://{address}" if address else None, timeout=10
        )
    except (OSError, TimeoutError) as error:
        raise Unreachable(f"no Dask scheduler answers at {address}: {error}") from None


def ray(cluster: str | None) -> Callable[[], None]:
    """Connect to Ray's cluster; without an address, `ray://`, start one on this machine. Gives what disconnects."""
    with needing("a Ray cluster", "ray"):
        import ray
        from ray.util.joblib import register_ray
    # "local": never one that happens to run, or has run, on this machine
    address = cluster if (cluster or "").partition("://")[2] else "local"
    # said once, by the error below
    warnings.filterwarnings("ignore", message="Ray Client connection timed out")
    try:
        ray.init(
            address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True, include_dashboard=False
        )
    except (OSError, ConnectionError, TimeoutError) as error:
        advice = "a cluster with tokens wants RAY_AUTH_MODE=token, and its own in RAY_AUTH_TOKEN"
        raise Unreachable(f"no Ray cluster answers at {address}: {error}", advice) from None
    register_ray()  # type: ignore[no-untyped-call]
    return ray.shutdown
