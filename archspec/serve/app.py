"""The page's server: a few answers to JSON, for this machine alone."""

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from archspec.backend import available
from archspec.drawing.page import embedded
from archspec.limits import DEFAULT_LIMITS
from archspec.serve import answers
from archspec.serve.thinking import Budget, Gone, Job, Over, Refused, Thinkers

T = TypeVar("T")
SURROGATE = re.compile(r"[\ud800-\udfff]")
ASSETS = {"serve.js": "text/javascript", "serve.css": "text/css"}
FORMS = {
    "svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf", "dot": "text/vnd.graphviz",
    "html": "text/html",
}  # fmt: skip
LARGEST = DEFAULT_LIMITS.source * 4 + 2**16
"""Bytes of a request."""
WAITING = 64
"""Requests that are worked at, or wait for that; the next one is sent away."""
DEFAULT_BUDGET = Budget()
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="nonce" content="{nonce}">
<title>archspec</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/serve.css">
</head>
<body>
<div id="serve"></div>
<script id="start" type="application/json">{start}</script>
<script src="/assets/serve.js"></script>
</body>
</html>
"""


class Wrong(Exception):
    """A request is not one that the page makes."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Server:
    """What one folder's page asks for. Specs are compiled in processes of their own, within a budget."""

    def __init__(
        self, folder: Path, name: str, text: str, member: str | None = None, budget: Budget = DEFAULT_BUDGET
    ) -> None:
        self.folder = folder
        self.name = name
        self.text = text
        self.member = member
        """the network that is shown until the page asks for another"""
        self.thinkers = Thinkers(budget)
        self.waiting = ThreadPoolExecutor(WAITING)
        self.count = 0
        """of these requests"""

    def app(self) -> Starlette:
        """Hosts other than this machine's own names are refused, so that no page of the network can reach it."""
        routes = [
            Route("/", self.page),
            Route("/assets/{name}", self.asset),
            Route("/compile", self.compile, methods=["POST"]),
            Route("/source", self.source, methods=["POST"]),
            Route("/picture", self.picture, methods=["POST"]),
        ]
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
        wrong = {Wrong: refused, ClientDisconnect: nobody, Gone: nobody}
        return Starlette(routes=routes, middleware=[hosts], exception_handlers=wrong)

    def close(self) -> None:
        """End what is being done."""
        self.thinkers.close()

    async def think(self, request: Request, work: Callable[..., T], *arguments: Any) -> T:
        """What work gives, in a process of its own; raises `Over`, `Refused`, or `Gone` where the client hangs up."""
        if self.count >= WAITING:
            raise Wrong("too many requests are waiting", 503)
        job = Job(work, *arguments)
        self.count += 1
        gone = asyncio.ensure_future(request.receive())
        done = asyncio.get_running_loop().run_in_executor(self.waiting, self.thinkers.do, job)
        try:
            await asyncio.wait({gone, done}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                job.stop()
            found: T = await done
            return found
        finally:
            gone.cancel()
            self.count -= 1

    async def page(self, request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        start = embedded({"name": self.name, "text": self.text, "backends": available()})
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        text = PAGE.format(nonce=nonce, start=start)
        return safe(Response(text, media_type="text/html"), policy)

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            return safe(PlainTextResponse("there is no such file", 404))
        text = (resources.files("archspec.serve") / "assets" / name).read_text(encoding="utf-8")
        return safe(Response(text, media_type=ASSETS[name]))

    async def compile(self, request: Request) -> Response:
        given = await asked(request, self.thinkers.budget.patience)
        try:
            found = await self.think(
                request,
                answers.encoded,
                given["text"],
                self.name,
                self.folder,
                self.asked_for(given),
                given["parameters"],
            )
        except Over as error:
            found = answers.given_up(str(error))
        return safe(Response(found, media_type="application/json"))

    def asked_for(self, given: dict[str, Any]) -> str | None:
        """The network that a request is of."""
        return given["member"] or self.member

    async def source(self, request: Request) -> Response:
        given = await asked(request, self.thinkers.budget.patience)
        if given["backend"] not in available():
            raise Wrong("there is no such backend")
        about = given["text"], self.name, self.folder, self.asked_for(given)
        try:
            made = await self.think(request, answers.source, *about, given["backend"], given["parameters"])
        except Over as error:
            made = answers.commented(str(error))
        return safe(PlainTextResponse(made))

    async def picture(self, request: Request) -> Response:
        given = await asked(request, self.thinkers.budget.patience)
        form = given["form"]
        if form not in FORMS:
            raise Wrong("there is no such form")
        about = self.name, self.folder, self.asked_for(given)
        try:
            made = await self.think(request, answers.drawn, given["text"], form, *about, given["parameters"])
        except (Over, Refused) as error:
            return safe(PlainTextResponse(str(error), 422))
        return safe(Response(made, media_type=FORMS[form]))


async def asked(request: Request, patience: float) -> dict[str, Any]:
    """What archspec's own page asks; raises `Wrong` for anything else.

    A page of another origin can send no JSON without being asked first, and is told no.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Wrong("a request is JSON")
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{request.headers.get('host', '')}":
        raise Wrong("a request comes from this page")
    try:
        async with asyncio.timeout(patience):
            given = json.loads(await body_of(request))
    except TimeoutError:
        raise Wrong(f"a request comes within {patience:g} seconds", 408) from None
    except (ValueError, RecursionError):
        raise Wrong("a request is JSON") from None
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise Wrong("a request has a text")
    words = {key: given.get(key) or "" for key in ("member", "parameters", "backend", "form")}
    if not all(isinstance(word, str) for word in words.values()):
        raise Wrong("a request has texts")
    if any(SURROGATE.search(word) for word in (given["text"], *words.values())):
        raise Wrong("a text has a half of a character")
    return {"text": given["text"], **words, "member": words["member"] or None}


async def body_of(request: Request) -> bytes:
    """The body, taken in piece by piece; raises `Wrong` for one that is too long as soon as it is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Wrong(f"a request has at most {LARGEST:,} bytes", 413)
    return bytes(body)


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Wrong)
    answer = safe(PlainTextResponse(str(error), error.status))
    if error.status != 400:
        # the rest of the request is not read
        answer.headers["Connection"] = "close"
    return answer


async def nobody(request: Request, error: Exception) -> Response:
    """What a client that has hung up gets: it is not sent."""
    return Response(status_code=499)


def safe(response: Response, policy: str = "default-src 'none'") -> Response:
    """A response that is what it says, is not kept, and is shown in no other page."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
