"""The page's server under requests that are too much: others are answered meanwhile, nothing grows, nothing is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import uvicorn
from starlette.testclient import TestClient

from archspec.serve.app import LARGEST, Server
from archspec.serve.thinking import Budget

SMALL = "arch 1\nnetwork N { input 8 x 8 x 3 body conv(3, 4) -> relu }\n"
HEAVY = "arch 1\nnetwork N { input 8 x 8 x 3 body (conv(1, 4) -> relu) * 45000 -> flatten }\n"
HEAD = (
    "POST /compile HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


class Running:
    """A server with a small budget, on a thread of this process."""

    def __init__(self, budget: Budget) -> None:
        self.server = Server(Path(), "net.arch", SMALL, budget=budget)
        self.bound = socket.socket()
        self.bound.bind(("127.0.0.1", 0))
        self.bound.listen()
        self.port = self.bound.getsockname()[1]
        config = uvicorn.Config(self.server.app(), log_config=None, access_log=False, lifespan="off", ws="none")
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: self.uvicorn.run(sockets=[self.bound]))
        self.thread.start()

    def post(self, path: str, asked: object, timeout: float = 60) -> tuple[int, bytes]:
        data = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def compile(self, text: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.post("/compile", {"text": text})[1])
        return found

    def close(self) -> None:
        self.uvicorn.should_exit = True
        self.server.close()
        self.thread.join()
        self.bound.close()


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(Budget(seconds=4, quick=0.5, patience=1))
    made.compile(SMALL)  # its process is there
    yield made
    made.close()


def messages(found: dict[str, object]) -> list[str]:
    diagnostics = found["diagnostics"]
    assert isinstance(diagnostics, list)
    return [diagnostic["message"] for diagnostic in diagnostics]


def test_others_are_answered_while_one_is_given_up(running: Running) -> None:
    told: list[dict[str, object]] = []
    heavy = [threading.Thread(target=lambda: told.append(running.compile(HEAVY))) for _ in range(4)]
    for thread in heavy:
        thread.start()
    time.sleep(0.2)
    waits = []
    while any(thread.is_alive() for thread in heavy):
        began = time.monotonic()
        while not (small := running.compile(SMALL))["network"]:  # on a busy machine it takes long itself
            assert messages(small) == ["2 others take long already: try again when they are done"]
        waits.append(time.monotonic() - began)
    assert max(waits) < 30
    said = sorted(message for found in told for message in messages(found))
    assert len(said) == 4
    assert set(said) <= {
        "this takes more than 4 seconds", "2 others take long already: try again when they are done"
    }  # fmt: skip
    assert "this takes more than 4 seconds" in said
    assert len(running.server.thinkers.all) <= 2 + 2


def test_what_takes_too_much_memory_is_given_up_and_the_next_is_answered() -> None:
    client = TestClient(
        Server(Path(), "a.arch", "", budget=Budget(memory=300 * 2**20)).app(), base_url="http://127.0.0.1"
    )
    for path, said in (("/compile", "memory"), ("/source", "more memory than there is")):
        done = client.post(path, json={"text": HEAVY, "backend": "torch"})
        assert said in done.text
    assert client.post("/compile", json={"text": SMALL}).json()["network"]


def test_a_body_without_an_end_is_cut_off_at_the_limit(running: Running) -> None:
    piece = b"%x\r\n%s\r\n" % (2**20, b"x" * 2**20)
    sent = 0
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as client:
        client.sendall(HEAD.encode())
        try:
            while sent < 4 * LARGEST:
                client.sendall(piece)
                sent += len(piece)
            raise AssertionError("all was taken in")
        except OSError:
            pass
    assert sent < LARGEST + 2**24
    body = b'{"text": "' + b"x" * LARGEST + b'"}'
    with TestClient(running.server.app(), base_url="http://127.0.0.1") as client_:
        done = client_.post("/compile", content=body, headers={"content-type": "application/json"})
    assert (done.status_code, done.text) == (413, f"a request has at most {LARGEST:,} bytes")
    assert done.headers["connection"] == "close"


def test_a_body_that_does_not_go_on_is_given_up(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as client:
        client.sendall(HEAD.encode() + b"1\r\n{\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"text":' * 100_000, b"9" * 10_000, b'{"text": "\\ud800"}', b"\xff\xfe", b"", b"NaN",
     b'{"text": "x", "member": {"a": 1}}'],
)  # fmt: skip
def test_what_is_not_json_that_the_page_sends_is_refused(body: bytes, running: Running) -> None:
    assert running.post("/compile", body)[0] == 400


def test_a_network_that_was_named_is_shown_first(tmp_path: Path) -> None:
    text = f"{SMALL}variant v = N()\nvariant w = N()\n"
    client = TestClient(Server(tmp_path, "net.arch", text, "w").app(), base_url="http://127.0.0.1")
    assert client.post("/compile", json={"text": text}).json()["member"] == "w"
    assert client.post("/compile", json={"text": text, "member": "v"}).json()["member"] == "v"


# ---- the command ----


@pytest.fixture
def served(tmp_path: Path) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    (tmp_path / "net.arch").write_text(SMALL)
    command = [sys.executable, "-u", "-m", "archspec", "serve", "net.arch", "--port", "0", "--no-open"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline().split()[2].rsplit(":", 1)[1].strip("/"))
        if process.poll() is None:
            process.kill()


def asking(port: int, text: str) -> socket.socket:
    """A client that has asked, and does not read."""
    body = json.dumps({"text": text}).encode()
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    head = f"POST /compile HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    client.sendall(head.encode() + b"\r\n\r\n" + body)
    return client


def children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The processes that it works with."""
    return [c for c in psutil.Process(process.pid).children() if "spawn_main" in " ".join(c.cmdline())]


def until(right: "object", seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if right():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def test_a_client_that_hangs_up_leaves_no_traceback_and_nothing_that_works_for_it(
    served: "tuple[subprocess.Popen[str], int]",
) -> None:
    process, port = served
    for start in (HEAD, f"{HEAD}1\r\n{{\r\n", HEAD[:40], "\x00\x01"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(start.encode())
    client = asking(port, HEAVY)
    assert until(lambda: children(process))
    time.sleep(1)
    client.close()
    assert until(lambda: not children(process), 10)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert "Traceback" not in error
    assert "Error" not in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_though_somebody_is_being_answered(
    number: signal.Signals, served: "tuple[subprocess.Popen[str], int]"
) -> None:
    process, port = served
    with asking(port, HEAVY):
        assert until(lambda: children(process))
        workers = children(process)
        began = time.monotonic()
        os.kill(process.pid, number)
        _, error = process.communicate(timeout=20)
        assert time.monotonic() - began < 10
    assert "Traceback" not in error
    assert until(lambda: not any(worker.is_running() for worker in workers), 5)
