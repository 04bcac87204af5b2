"""Bytes or a text -> what kind of file they are, by what stands in them, as a suffix that `foreign.toml` knows.

It is asked of what is not a spec, or not UTF-8. A text that declares networks or blocks, as a spec does, is a spec with
a mistake: nothing is said of it.
"""

import json
import re

HEAD = 2**16
"""Bytes of a file that are looked at: what tells kinds apart stands at their beginnings."""
MAGIC = (
    (b"\x7fELF", "elf"), (b"MZ\x90", "exe"), (b"\xcf\xfa\xed\xfe", "dylib"), (b"%PDF-", "pdf"), (b"%!PS", "ps"),
    (b"\x89HDF\r\n", "h5"), (b"\x93NUMPY", "npy"), (b"GGUF", "gguf"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"), (b"II*\0", "tif"), (b"MM\0*", "tif"), (b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7z"), (b"(\xb5/\xfd", "zst"), (b"Rar!", "rar"), (b"\xd0\xcf\x11\xe0", "xls"), (b"PAR1", "parquet"),
)  # fmt: skip
"""What files of one kind begin with."""
MEMBERS = (
    (b"data.pkl", "pth"), (b"archive_format", "pt2"), (b"serialized_exported_program", "pt2"),
    (b"config.json", "keras"), (b".npy", "npz"), (b"[Content_Types].xml", "docx"),
    (b"mimetypeapplication/vnd.oasis", "odt"), (b"mimetypeapplication/epub", "epub"),
)  # fmt: skip
"""Names in an archive that tell what it is."""
PICKLE = re.compile(rb"\x80[\x02-\x05]|\(dp?0|cc(?:ollections|opyreg|opy_reg)\n")
TORCH = b"l\xfc\x9cF\xf9 j\xa8P\x19"
"""The number that files of PyTorch before 1.6 begin with, as a pickle has it."""
ONNX = re.compile(rb"\x08[\x02-\x63][\x12\x1a\x22\x2a\x32\x3a\x42]")
"""The version of the form, not 1, and the tag of the next field of a `ModelProto`."""

SPEC = re.compile(
    r"^[ \t]*(?:(?:network|reading)\s+\w+\s*(?:\([^)\n]*\)\s*)?\{|(?:block|def)\s+\w+\s*(?:\([^\n]*\))?[^\n={}]*=[^=]"
    r"|variant\s+\w+\s*=|(?:use|title|cite|read)\s+[\"']|read\s+as\s|table\s+(?:\"[^\"\n]*\"\s*)?\{|body\s+[\w(])",
    re.MULTILINE,
)
"""What only a spec declares."""
FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
STATEMENT = re.compile(
    r"^(?:from [\w.]+ import |import [\w.]+(?: as \w+)?(?:, *[\w.]+)*[ \t]*(?:#.*)?$|class \w+[^\n]*:|"
    r"(?:async )?def \w+\([^\n]*(?::|,|\()[ \t]*(?:#.*)?$|if __name__|#!.*python)",
    re.MULTILINE,
)
"""A statement of Python that a file begins with, or has at its margin."""
LATEX = re.compile(
    r"\\(?:documentclass|documentstyle|begin|usepackage|input|section|caption|toprule|hline|newcommand)\b"
)
HTML = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|table|div|p|thead|tbody|tr|h[1-6])\b",
    re.IGNORECASE | re.DOTALL,
)
XML = re.compile(r"\s*<(?:\?xml|!DOCTYPE|svg|[a-zA-Z]\w*[ >])")
SVG = re.compile(r"<svg\b")
JSON = re.compile(r'\s*(?:\{\s*(?:"|\}\s*$)|\[\s*(?:[{"\[\d-]|\]\s*$))')
SECTION = re.compile(r"(?:\s|#[^\n]*\n)*\[{1,2}[\w.\"' -]+\]{1,2}[ \t]*(?:#[^\n]*)?$", re.MULTILINE)
KEYED = re.compile(r"^[\w.\"'-]+[ \t]*=[ \t]*[^=\n]", re.MULTILINE)
YAML_KEY = re.compile(r"^(?:- )?[\w.\"'/-]+:(?:[ \t]|$)", re.MULTILINE)
YAML_START = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:%YAML|---[ \t]*$)", re.MULTILINE)
HEADING = re.compile(r"^(?:#{1,6} \S|[^\n]+\n(?:===+|---+)[ \t]*$)", re.MULTILINE)
PIPES = re.compile(r"^\|[^\n]*\|[ \t]*\n\|[ :|-]+\|", re.MULTILINE)
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = 6
"""Words of a line that is prose."""


def of_bytes(data: bytes) -> str | None:
    """The kind of a file that is not a text, or is only by chance; None for what may be a text."""
    head = data[:HEAD]
    for magic, kind in MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return next((kind for name, kind in MEMBERS if name in head), "zip")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"TFL3":
        return "tflite"
    if len(head) > 9 and head[8:9] == b"{" and b"\0" in head[:8]:
        return "safetensors"
    if PICKLE.match(head):
        return "pth" if TORCH in head[:64] else "pkl"
    return "onnx" if ONNX.match(head) else None


def of_text(text: str) -> str | None:
    """The kind of a text that does not begin as a spec does; None for a spec, and for what is not recognised."""
    if JSON.match(text):
        return json_kind(text)
    if HTML.match(text):
        return "html"
    if XML.match(text):
        return "svg" if SVG.search(text[:HEAD]) else "xml"
    head = text[:HEAD]
    if FENCE.search(head):
        return "md"
    if STATEMENT.search(head):
        return "py"
    return None if declares(text) else of_lines(head)


def declares(text: str) -> bool:
    """Whether a text declares what only a spec does."""
    return SPEC.search(text[:HEAD]) is not None


def json_kind(text: str) -> str | None:
    """Whether it is JSON, or looks so much like it that a mistake in it is not a spec's."""
    if '"nbformat"' in text:
        return "ipynb"
    return None if declares(text) and not whole_json(text) else "json"


def whole_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def of_lines(head: str) -> str | None:
    """The kind of a text by how its lines begin and what parts them."""
    lines = [line for line in head.splitlines() if line.strip()][:50]
    if LATEX.search(head):
        return "tex"
    if SECTION.match(head) and KEYED.search(head):
        return "toml"
    if YAML_START.match(head) or len(YAML_KEY.findall(head)) >= max(2, len(lines) // 4):
        return "yaml"
    if PIPES.search(head) or (HEADING.search(head) and prose(head)):
        return "md"
    if separated(lines):
        return "csv"
    return "txt" if prose(head) else None


def separated(lines: list[str]) -> bool:
    """Whether the first lines have one number of commas, tabs or semicolons."""
    first = lines[:10]
    counts = [{line.count(mark) for line in first} for mark in ",\t;"]
    return len(first) > 1 and any(len(count) == 1 and count != {0} for count in counts)


def prose(text: str) -> bool:
    """Whether a line has as many words as a sentence."""
    return any(len(WORD.findall(line)) >= SENTENCE for line in text.splitlines())
