"""The target of files of any kind that are given as a spec, or as a text with a table."""

import random
from functools import cache

from archspec.loading import decode
from fuzz import onnx_files, safetensors_files, torch_files
from fuzz.mutate import mutated as of_text
from fuzz.mutate_data import of_bytes
from fuzz.targets import Target
from fuzz.texts import LIMITS, elaborate, import_


def given(data: bytes) -> None:
    """Bytes are a text or not; the text is a spec, has tables, or has mistakes that are told."""
    text = decode("theirs.arch", data, LIMITS).text
    if len(data) % 3 == 0:
        import_(text)
    else:
        elaborate(text)


def of_either(data: bytes, rng: random.Random) -> bytes:
    return (of_text if rng.randrange(3) else of_bytes)(data, rng)


@cache
def made() -> tuple[bytes, ...]:
    """What is not a text: files of other programs, other encodings."""
    spec = "arch 1\nnetwork N { input 8 x 8 x 3 body conv(3, 4) }\n"
    elf = b"\x7fELF\x02\x01\x01" + bytes(57)
    pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    images = b"\x89PNG\r\n\x1a\n" + bytes(30), b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(20)
    encoded = [spec.encode(encoding) for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "latin-1")]
    files = torch_files.checkpoints()[0], onnx_files.usual(), safetensors_files.made()[0]
    return elf, pdf, *images, *encoded, *files, b"", b"\0" * 100, spec.replace("conv", "сonv").encode()


TARGETS = {"foreign": Target(given, of_either, made)}
