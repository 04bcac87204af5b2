"""JSON-RPC as it is written: what is not a message is answered by an error, and never ends or fills the log."""

from json import JSONDecodeError
from typing import Any

from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol

PARSE_ERROR, INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
CHANGES = {"textDocument/didChange", "textDocument/didClose", "textDocument/didSave"}
"""What is told of documents that are open."""


class Protocol(LanguageServerProtocol):
    """Messages are looked at before they are made objects of."""

    def structure_message(self, data: Any) -> Any:
        """A part of a message, as it is: the whole is looked at when it is there."""
        return data

    def handle_message(self, message: Any) -> None:
        """Do what a message says, or answer why not; a notification is not answered."""
        identity = message.get("id") if isinstance(message, dict) else None
        if not is_message(message):
            self.refuse(identity if is_identity(identity) else None, INVALID_REQUEST, "this is not a request")
            return
        if self._shutdown and "id" in message and "method" in message:
            self.refuse(identity, INVALID_REQUEST, "the server was asked to shut down")
            return
        if message.get("method") in CHANGES and not self.is_open(message):
            return
        if "method" in message and self.get_message_type(message["method"]) is None:
            if "id" in message:
                self.refuse(identity, UNKNOWN_METHOD, f"there is no method {message['method'][:100]}")
            return
        try:
            made = super().structure_message(message)
        except (JsonRpcInvalidParams, JsonRpcInternalError):
            if "id" in message and "method" in message:
                self.refuse(identity, INVALID_PARAMS, f"these are not parameters of {message['method']}"[:200])
            return
        super().handle_message(made)

    def is_open(self, message: dict[str, Any]) -> bool:
        """Whether the document that a message tells of is open."""
        params = message.get("params")
        document = params.get("textDocument") if isinstance(params, dict) else None
        return isinstance(document, dict) and document.get("uri") in self.workspace.text_documents

    def refuse(self, identity: Any, code: int, why: str) -> None:
        self._send_data({"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": why}})


def is_message(message: Any) -> bool:
    """Whether something is a request, a notification or an answer."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return False
    if "method" in message:
        return isinstance(message["method"], str) and ("id" not in message or is_identity(message["id"]))
    return is_identity(message.get("id")) and ("result" in message or "error" in message)


def is_identity(identity: Any) -> bool:
    return isinstance(identity, int | str) and not isinstance(identity, bool)


def is_unreadable(error: Exception) -> bool:
    """Whether an error says that what came is not JSON."""
    return isinstance(error, JSONDecodeError | UnicodeDecodeError | RecursionError) or (
        type(error) is ValueError and not isinstance(error, JsonRpcException)
    )
