"""The page's server: a few answers to JSON, for this machine alone."""

import asyncio
import json
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from archspec.backend import BackendError, available
from archspec.diagnostics import SpecError
from archspec.drawing.page import embedded
from archspec.limits import DEFAULT_LIMITS
from archspec.serve import answers

T = TypeVar("T")
ASSETS = {"serve.js": "text/javascript", "serve.css": "text/css"}
FORMS = {
    "svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf", "dot": "text/vnd.graphviz",
    "html": "text/html",
}  # fmt: skip
STACK = 64 * 2**20
"""Bytes: nesting that the limits allow fits on any platform's thread."""
LARGEST = DEFAULT_LIMITS.source * 4 + 2**16
"""Bytes of a request."""
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


class Server:
    """What one folder's page asks for. Specs are compiled on one thread, one after the other."""

    def __init__(self, folder: Path, name: str, text: str, member: str | None = None) -> None:
        self.folder = folder
        self.name = name
        self.text = text
        self.member = member
        """the network that is shown until the page asks for another"""
        before = threading.stack_size(STACK)
        self.thinking = ThreadPoolExecutor(max_workers=1)
        self.thinking.submit(int).result()
        threading.stack_size(before)

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
        return Starlette(routes=routes, middleware=[hosts], exception_handlers={ValueError: refused})

    async def think(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thinking, work, *arguments)

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
        given = await asked(request)
        found = await self.think(
            answers.answer, given["text"], self.name, self.folder, given["member"], given["parameters"]
        )
        return safe(JSONResponse(found))

    async def source(self, request: Request) -> Response:
        given = await asked(request)
        if given["backend"] not in available():
            raise ValueError("there is no such backend")
        wrong = await self.think(answers.refusal, given["text"], self.name, self.folder, given["member"])
        made = wrong or await asyncio.to_thread(
            answers.written, given["text"], given["backend"], self.folder, given["member"], given["parameters"]
        )
        return safe(PlainTextResponse(made))

    async def picture(self, request: Request) -> Response:
        given = await asked(request)
        form = given["form"]
        if form not in FORMS:
            raise ValueError("there is no such form")
        try:
            made = await self.think(
                answers.drawn, given["text"], form, self.name, self.folder, given["member"], given["parameters"]
            )
        except (SpecError, BackendError) as error:
            return safe(PlainTextResponse(str(error), 422))
        return safe(Response(made, media_type=FORMS[form]))


async def asked(request: Request) -> dict[str, Any]:
    """What a page of ours asks; raises `ValueError` for anything else.

    A page of another origin can send no JSON without being asked first, and is told no.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ValueError("a request is JSON")
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{request.headers.get('host', '')}":
        raise ValueError("a request comes from this page")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise ValueError("a request is not that long")
    given = json.loads(body)
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise ValueError("a request has a text")
    words = {key: given.get(key) or "" for key in ("member", "parameters", "backend", "form")}
    if not all(isinstance(word, str) for word in words.values()):
        raise ValueError("a request has texts")
    return {"text": given["text"], **words, "member": words["member"] or None}


async def refused(request: Request, error: Exception) -> Response:
    return safe(PlainTextResponse(str(error), 400))


def safe(response: Response, policy: str = "default-src 'none'") -> Response:
    """A response that is what it says, is not kept, and is shown in no other page."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
