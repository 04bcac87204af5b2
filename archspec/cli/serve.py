"""`archspec serve`: a page to write specs in."""

import sys
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket

import click

from archspec import driver
from archspec.backend import BackendError
from archspec.cli.options import SpecName
from archspec.cli.output import say
from archspec.limits import DEFAULT_LIMITS
from archspec.loading import read_source

EMPTY = """arch 1

network Mine(k = 10) {
  input 32 x 32 x 3
  body conv(3, 16) -> bn -> relu -> maxpool(2) -> flatten -> linear(k)
}
"""


@click.command()
@click.argument("spec", type=SpecName(), required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=8711, show_default=True, help="0: any that is free.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def serve(spec: str | None, port: int, no_open: bool) -> None:
    """Open a page to write a spec, or paste a table, and see diagram, counts and source as you type.

    The page is for this machine alone (127.0.0.1). Files that a spec uses are read from its folder and nowhere else;
    nothing is written: save what you made by its download buttons.

    \b
    Examples:
      archspec serve
      archspec serve mobilenet_v2
      archspec serve nets/mine.arch --port 9000
    """
    from archspec.backend import MissingFramework

    try:
        import uvicorn

        from archspec.serve.app import Server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"uvicorn", "starlette"}:
            raise
        raise MissingFramework("the page", error.name or "starlette", "serve") from None
    folder, name, text = start(spec)
    server = Server(folder, name, text)
    # uvicorn's own set-up of logs would close the streams that others write theirs to
    config = uvicorn.Config(server.app(), log_config=None, access_log=False, lifespan="off", ws="none")
    bound = listening(port)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    say(f"{name} at {url} (Ctrl-C to stop)")
    if not no_open:
        click.launch(url)
    uvicorn.Server(config).run(sockets=[bound])


def listening(port: int) -> socket:
    """A socket of this machine at that port; raises `BusyPort`."""
    bound = socket()
    try:
        # a port whose last page has just been closed can be taken at once; on Windows this would share one in use
        if sys.platform != "win32":
            bound.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        bound.close()
        raise BusyPort(port, error.strerror or str(error)) from None
    bound.set_inheritable(True)
    return bound


class BusyPort(BackendError):
    """Another program listens at the port, or this one may not."""

    exit_code = 3

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen at port {port}: {reason[:1].lower()}{reason[1:]}",
            "`--port 0` takes any that is free, `--port N` another",
        )


def start(spec: str | None) -> tuple[Path, str, str]:
    """The folder whose files are read, and the name and text that the page begins with; raises `OSError`."""
    if spec is None:
        return Path(), "untitled.arch", EMPTY
    path = Path(spec)
    if path.is_file():
        return path.parent, path.name, read_source(spec, DEFAULT_LIMITS).text
    source = driver.load(spec).source
    return Path(), Path(source.name).name, source.text
