"""The target of the page's server: a request as HTTP has it, its head, a blank line, its body."""

import asyncio
import json
import random
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from archspec.errors import Refusal, SpecError
from archspec.serve import answers
from archspec.serve.app import Server
from archspec.serve.thinking import Job, Refused
from fuzz.mutate import mutated as of_text
from fuzz.mutate_data import of_json
from fuzz.targets import Target

STATUSES = {200, 307, 400, 404, 405, 413, 422}
"""What a request is answered with; 500 is not among them."""
SPEC = "arch 1\nnetwork N { input 8 x 8 x 3 body conv(3, 4) }\n"
HOST = (b"host", b"127.0.0.1")


class Here(Server):
    """Works in this process, so that coverage is seen; what fails is raised."""

    async def think(self, request: Any, work: Any, *arguments: Any) -> Any:
        try:
            return Job(work, *arguments).asked[0](*arguments)
        except (SpecError, Refusal) as error:
            raise Refused(str(error)) from None


def request(data: bytes) -> None:
    """A request is answered by one of the statuses, without a script in it and without a byte of another file."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, path = first.partition(b" ")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method.decode("latin-1"),
        "scheme": "http", "path": path.decode("utf-8", "replace"), "raw_path": path, "query_string": b"",
        "root_path": "", "headers": [HOST, *((n, v) for n, v in headers if n != b"host")], "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(answers, "written", return_value="# source"):
        Path(folder, "beside.arch").write_text(SPEC)
        status, given, found = asyncio.run(answered(scope, body, Path(folder)))
        assert [file.name for file in Path(folder).iterdir()] == ["beside.arch"], "something was written"
    assert status in STATUSES, f"{status}: {found[:200]!r}"
    if status == 200:
        assert given[b"content-security-policy"].startswith(b"default-src 'none'")
        assert given[b"x-content-type-options"] == b"nosniff"
        if given[b"content-type"] == b"application/json":
            json.loads(found, parse_constant=refuse)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


async def answered(scope: dict[str, Any], body: bytes, folder: Path) -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, the headers and the body of an answer."""
    pieces = iter([body[place : place + 1000] for place in range(0, len(body), 1000)] or [b""])
    left = [len(body)]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"}
        left[0] -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": left[0] > 0}

    async def send(message: Any) -> None:
        sent.append(message)

    serve = Here(folder, "net.arch", SPEC)
    try:
        await serve.app()(scope, receive, send)
    finally:
        serve.waiting.shutdown(wait=False)
        serve.close()
    start = sent[0]
    return start["status"], dict(start["headers"]), b"".join(m.get("body", b"") for m in sent[1:])


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Another body, whose text is another spec too, or another head."""
    head, blank, body = data.partition(b"\n\n")
    match rng.randrange(6):
        case 0:
            return of_text(head, rng) + blank + body
        case 1 | 2:
            return head + blank + of_json(body, rng)
    try:
        given = json.loads(body)
        key = rng.choice([key for key in given if isinstance(given[key], str)])
        given[key] = of_text(given[key].encode("utf-8", "replace"), rng).decode()
    except (ValueError, AttributeError, IndexError, TypeError, RecursionError):
        return head + blank + of_text(body, rng)
    return head + blank + json.dumps(given).encode()


TARGETS = {"serve": Target(request, mutated)}
