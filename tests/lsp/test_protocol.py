"""What no editor sends: the real server answers as JSON-RPC says, goes on, and leaves nothing on stderr."""

import json
import subprocess
import sys
from typing import Any

import pytest
from lsp.client import Editor, session
from lsprotocol import types

URI = "file:///nowhere/net.arch"
TEXT = "arch 1\nnetwork N { input 8 x 8 x 3 body conv(3, 4) -> relu }\n"
INITIALIZE = {
    "jsonrpc": "2.0", "id": "begin", "method": "initialize",
    "params": {"processId": None, "rootUri": None, "capabilities": {}},
}  # fmt: skip
OPEN = {
    "jsonrpc": "2.0", "method": "textDocument/didOpen",
    "params": {"textDocument": {"uri": URI, "languageId": "arch", "version": 1, "text": TEXT}},
}  # fmt: skip
END = [{"jsonrpc": "2.0", "id": "end", "method": "shutdown"}, {"jsonrpc": "2.0", "method": "exit"}]
ASKED = {
    "hover": {}, "completion": {}, "definition": {}, "references": {"context": {"includeDeclaration": True}},
    "documentSymbol": {}, "foldingRange": {}, "inlayHint": {}, "codeAction": {"context": {"diagnostics": []}},
    "formatting": {"options": {"tabSize": 2, "insertSpaces": True}},
}  # fmt: skip
PARSE_ERROR, INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602


def framed(message: object) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def answers(*messages: object) -> list[dict[str, Any]]:
    """What a server answers to messages, except its greeting and its farewell, which it always gives."""
    command = [sys.executable, "-m", "archspec", "lsp"]
    # one by one: what is asked is answered in any order, and the end could overtake it
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(map(framed, [INITIALIZE, *messages])))
        process.stdin.flush()
        wanted = sum(not isinstance(m, dict) or "id" in m for m in messages)
        found = [received(process.stdout)]
        while sum("method" not in answer for answer in found) < 1 + wanted:
            found.append(received(process.stdout))
        out, error = process.communicate(b"".join(map(framed, END)), timeout=30)
    assert (process.returncode, error) == (0, b"")
    assert found[0]["id"] == "begin"
    assert b'"id": "end"' in out
    return [answer for answer in found[1:] if "method" not in answer]


def received(stream: Any) -> dict[str, Any]:
    length = 0
    while (line := stream.readline()).strip():
        if line.startswith(b"Content-Length:"):
            length = int(line.split()[1])
    found: dict[str, Any] = json.loads(stream.read(length))
    return found


@pytest.mark.parametrize(
    "message", [b"{not json", b"\xff\xfe", b"[" * 100_000, b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b"}"],
    ids=["braces", "bytes", "nested", "digits"],
)  # fmt: skip
def test_what_is_not_json_is_a_parse_error(message: bytes) -> None:
    (found,) = answers(message)
    assert (found["id"], found["error"]["code"]) == (None, PARSE_ERROR)


@pytest.mark.parametrize(
    "message",
    [[], [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}], 3, "x", b"null", b"{}", {"id": 1, "method": "shutdown"},
     {"jsonrpc": "1.0", "id": 1, "method": "shutdown"}, {"jsonrpc": "2.0", "id": 1},
     {"jsonrpc": "2.0", "id": 1, "method": 3},
     {"jsonrpc": "2.0", "id": {"a": 1}, "method": "shutdown"}, {"jsonrpc": "2.0", "id": True, "method": "shutdown"}],
    ids=str,
)  # fmt: skip
def test_what_is_not_a_request_is_an_invalid_request(message: object) -> None:
    (found,) = answers(message)
    assert found["error"]["code"] == INVALID_REQUEST
    assert found["id"] == (1 if isinstance(message, dict) and type(message.get("id")) is int else None)


def test_a_method_that_is_not_known_is_told_and_a_notification_of_one_is_passed_over() -> None:
    (found,) = answers({"jsonrpc": "2.0", "method": "no/such"}, {"jsonrpc": "2.0", "id": 1, "method": "no/such"})
    assert (found["id"], found["error"]["code"]) == (1, UNKNOWN_METHOD)


@pytest.mark.parametrize("method", ASKED)
def test_parameters_of_another_form_are_invalid_parameters(method: str) -> None:
    wrong = [None, 7, [], {}, {"textDocument": 3}, {"textDocument": {"uri": URI}, "position": {"line": "1"}}]
    if method in {"documentSymbol", "foldingRange"}:
        wrong.pop()
    asked = [
        {"jsonrpc": "2.0", "id": number, "method": f"textDocument/{method}", "params": params}
        for number, params in enumerate(wrong)
    ]
    found = answers(OPEN, *asked)
    assert {answer["id"]: answer["error"]["code"] for answer in found} == dict.fromkeys(
        range(len(wrong)), INVALID_PARAMS
    )


def test_what_is_asked_after_the_end_is_refused_and_what_was_asked_before_is_answered() -> None:
    params = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 40}}
    hover = {"jsonrpc": "2.0", "method": "textDocument/hover", "params": params}
    messages = [INITIALIZE, OPEN, {**hover, "id": 1}, END[0], {**hover, "id": 2}, {**END[0], "id": 3}]
    command = [sys.executable, "-m", "archspec", "lsp"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(map(framed, messages)))
        process.stdin.flush()
        found: dict[Any, Any] = {}
        while len(found) < 5:
            answer = received(process.stdout)
            if "id" in answer:
                found[answer["id"]] = answer
        _, error = process.communicate(framed(END[1]), timeout=30)
    assert (process.returncode, error) == (0, b"")
    assert set(found) == {"begin", 1, "end", 2, 3}
    assert found[2]["error"]["code"] == found[3]["error"]["code"] == INVALID_REQUEST


PLACES = [(0, 0), (1, 10**6), (10**6, 0), (2**31 - 1, 2**31 - 1)]
NO_PLACES: list[tuple[Any, Any]] = [(-1, 0), (0, -1), (10**12, 0), (None, 0), ([], 0), ("x", 0)]


@pytest.mark.parametrize("method", ASKED)
def test_every_position_is_answered(method: str) -> None:
    asked = []
    for number, (line, character) in enumerate([*PLACES, *NO_PLACES]):
        place = {"line": line, "character": character}
        params = {
            "textDocument": {"uri": URI},
            "position": place,
            "range": {"start": place, "end": place},
            **ASKED[method],
        }
        asked.append({"jsonrpc": "2.0", "id": number, "method": f"textDocument/{method}", "params": params})
    found = {answer["id"]: answer for answer in answers(OPEN, *asked)}
    assert set(found) == set(range(len(asked)))
    assert all("result" in found[number] for number in range(len(PLACES)))
    if method not in {"documentSymbol", "foldingRange", "formatting"}:
        codes = [found[number]["error"]["code"] for number in range(len(PLACES), len(asked))]
        assert codes == [INVALID_PARAMS] * len(NO_PLACES)


@pytest.mark.parametrize("method", ASKED)
def test_a_document_that_is_not_open_is_answered(method: str) -> None:
    place = {"line": 0, "character": 0}
    params = {"textDocument": {"uri": URI}, "position": place, "range": {"start": place, "end": place}, **ASKED[method]}
    (found,) = answers({"jsonrpc": "2.0", "id": 1, "method": f"textDocument/{method}", "params": params})
    assert found["id"] == 1
    assert not found["result"]


@pytest.mark.parametrize("method", ["didChange", "didClose", "didSave", "didOpen"])
def test_what_is_told_of_a_document_that_is_not_open_is_passed_over(method: str) -> None:
    document = {"uri": URI, "version": 2}
    told = [
        {"jsonrpc": "2.0", "method": f"textDocument/{method}", "params": params}
        for params in ({"textDocument": document, "contentChanges": [{"text": "x"}]}, {"textDocument": 3}, 7, None)
    ]
    assert len(answers(*told, {"jsonrpc": "2.0", "id": 1, "method": "no/such"})) == 1


def test_of_ten_thousand_mistakes_the_first_are_told_and_how_many_more_there_are() -> None:
    rows = " | 7x7x3 | conv | 4 |\n" * 10_000
    text = (
        f"arch 1\nnetwork N {{\n  input 8 x 8 x 3\n  table {{\n | Input | Operator | c |\n |---|---|---|\n{rows} }}\n"
        '  read "conv" = conv(3, c)\n}\n'
    )

    async def work(editor: Editor) -> None:
        editor.open(URI, text)
        found = await editor.until(URI, lambda diagnostics: len(diagnostics) > 1)
        assert len(found) == 101
        assert found[-1].message == "… and 9,900 more"
        assert {one.severity for one in found} == {types.DiagnosticSeverity.Error}

    assert session(work) == 0
