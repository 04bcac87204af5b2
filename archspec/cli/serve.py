"""`archspec serve`: a page to write specs in."""

import sys
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from types import FrameType

import click
from msgspec import Struct

from archspec import driver
from archspec.cli.many import unlike_a_file
from archspec.cli.options import SpecName
from archspec.cli.output import say
from archspec.diagnostics import SpecError
from archspec.elaborate.errors import UnknownMember
from archspec.errors import Refusal
from archspec.limits import DEFAULT_LIMITS
from archspec.optional import needing
from archspec.source import Source, Span
from archspec.syntax.errors import AnotherKind

GRACE = 1
"""Seconds that whoever is being answered has when the server ends."""
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
    with needing("the page"):
        import uvicorn

        from archspec.serve.app import Server
    begun = start(spec)
    server = Server(begun.folder, begun.name, begun.text, begun.member)
    # uvicorn's own set-up of logs would close the streams that others write theirs to
    config = uvicorn.Config(
        server.app(), log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=GRACE
    )
    bound = listening(port)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    say(f"{begun.name} at {url} (Ctrl-C to stop)")
    if not no_open:
        click.launch(url)

    class Ending(uvicorn.Server):
        """Ends what is being done before it waits for its answers."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            server.close()
            super().handle_exit(sig, frame)

    try:
        Ending(config).run(sockets=[bound])
    finally:
        server.close()


def listening(port: int) -> socket:
    """A socket of this machine at that port; raises `BusyPort`."""
    bound = socket()
    try:
        # a port whose last page has just been closed can be taken at once; on Windows this would share one in use
        if sys.platform != "win32":
            bound.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        # whoever is told of it may ask at once
        bound.listen()
    except OSError as error:
        bound.close()
        raise BusyPort(port, error.strerror or str(error)) from None
    bound.set_inheritable(True)
    return bound


class BusyPort(Refusal):
    """Another program listens at the port, or this one may not."""

    exit_code = 3

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen at port {port}: {reason[:1].lower()}{reason[1:]}",
            "`--port 0` takes any that is free, `--port N` another",
        )


class Start(Struct, frozen=True):
    """What the page begins with."""

    name: str
    text: str
    folder: Path = Path()
    """whose files are read"""
    member: str | None = None


def start(spec: str | None) -> Start:
    """What a SPEC is to the page; raises `OSError`, and `SpecError` where its file has no such network."""
    if spec is None:
        return Start("untitled.arch", EMPTY)
    if driver.exists(spec) and not Path(spec).is_file():
        # a pipe would be waited for
        raise unlike_a_file(Path(spec))
    source, folder, member = driver.located(spec, DEFAULT_LIMITS)
    refuse(source, folder, member)
    return Start(Path(source.name).name, source.text, folder, member)


def refuse(source: Source, folder: Path, member: str | None) -> None:
    """Raise `SpecError` for a file of another kind, and where a text declares no such network.

    All other mistakes the page shows.
    """
    try:
        known = driver.read(source, folder, member, DEFAULT_LIMITS).members
    except SpecError as error:
        if any(isinstance(one, AnotherKind) for one in error.diagnostics):
            raise
        return
    if member is not None and member not in known:
        raise SpecError([UnknownMember(Span(source, 0, 0), member, known)])
