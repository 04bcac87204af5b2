"""The target of the language server: a line is what an editor sends as a message, whatever it is."""

import asyncio
import json
import logging
import threading
from typing import Any

from pygls.io_ import run_async

from archspec.lsp import session
from archspec.lsp.protocol import is_message
from archspec.lsp.server import Server, server
from archspec.lsp.worker import LATER
from fuzz.mutate_data import of_lines
from fuzz.targets import Target

MOST = 30
"""Lines that are sent."""
PATIENCE = 15.0
"""Seconds in which all must be answered."""
INTERNAL = -32603


class Sent:
    """Where the server writes its messages."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.news = asyncio.Event()

    def write(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"Content-Length: ")
        self.bodies.append(json.loads(body))
        self.news.set()

    def close(self) -> None:
        """As a writer of pygls has it."""

    def answers(self) -> list[Any]:
        return [body for body in self.bodies if "method" not in body]


class Faults(logging.Handler):
    """What the server's log tells of as a fault of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(logging.Formatter().format(record))


def messages(data: bytes) -> None:
    """Every message that asks is answered once, within a time, and none is a fault of the server."""
    lines = [line for line in data.split(b"\n") if line.strip() and not ends(line)][:MOST]
    faults = Faults()
    logger = logging.getLogger("archspec")
    logger.addHandler(faults)
    logger.propagate = False
    session.PAUSE = 0.0
    try:
        answers = asyncio.run(said(lines))
    finally:
        logger.removeHandler(faults)
    assert not faults.found, faults.found[0]
    wanted = [identity for line in lines for identity in asked(line)]
    assert sorted(map(repr, wanted)) == sorted(repr(answer.get("id")) for answer in answers), (wanted, answers)
    wrong = [answer for answer in answers if answer.get("error", {}).get("code") == INTERNAL]
    assert not wrong, wrong[0]


async def said(lines: list[bytes]) -> list[Any]:
    """What a server answers to lines."""
    serve, sent, reader = server("0"), Sent(), asyncio.StreamReader()
    serve.protocol.set_writer(sent)
    for line in lines:
        reader.feed_data(b"Content-Length: %d\r\n\r\n%s" % (len(line), line))
    reader.feed_eof()
    wanted = sum(len(asked(line)) for line in lines)
    try:
        await run_async(
            threading.Event(), reader, serve.protocol, logging.getLogger("pygls"), serve.report_server_error
        )
        await asyncio.wait_for(all_of(sent, wanted), PATIENCE)
        await settled(serve)
    finally:
        serve.session.close()
        await asyncio.to_thread(serve.session.worker.thread.join, PATIENCE)
    assert not serve.session.worker.thread.is_alive(), "the thread that thinks does not end"
    return sent.answers()


async def all_of(sent: Sent, wanted: int) -> None:
    while len(sent.answers()) < wanted:
        sent.news.clear()
        await sent.news.wait()


async def settled(serve: Server) -> None:
    """Wait until the documents are checked whole."""
    if not serve.session.worker.closed:
        done = serve.session.worker.submit(LATER, lambda: None, 0.01)
        await asyncio.wait_for(asyncio.wrap_future(done), PATIENCE)


def read(line: bytes) -> tuple[bool, Any]:
    """Whether a line is JSON, and what it says."""
    try:
        return True, json.loads(line)
    except (ValueError, RecursionError):
        return False, None


def ends(line: bytes) -> bool:
    """Whether a line asks the server to end, which it does."""
    known, message = read(line)
    return known and isinstance(message, dict) and message.get("method") == "exit"


def asked(line: bytes) -> list[Any]:
    """The identity that a line wants an answer with: none for what is told, or is an answer itself."""
    known, message = read(line)
    if not known or not is_message(message):
        identity = message.get("id") if isinstance(message, dict) else None
        return [identity if isinstance(identity, int | str) and not isinstance(identity, bool) else None]
    return [message["id"]] if "id" in message and "method" in message else []


TARGETS = {"lsp": Target(messages, of_lines)}
