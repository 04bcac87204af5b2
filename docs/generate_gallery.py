"""specs/ -> docs/gallery.md and its pictures, and those of docs/lessons.md: `python docs/generate_gallery.py`."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from archspec.cli.commands import run

DOCS = Path(__file__).parent
PICTURES = DOCS / "gallery"
NOTE = "<!-- Written by `python docs/generate_gallery.py`; change that file, not this one. -->"
HEAD = """# Gallery

What `archspec render` and `archspec chart` draw, by the command above each picture; [pictures.md](pictures.md) says
more. They are shown light or dark, as the reader's browser prefers (`--theme`).
"""
FIGURES = [
    ("bottleneck", "A bottleneck of MobileNetV2", "render mobilenet_v2 --at row_3/bottleneck_2"),
    ("inception", "An inception block", "render googlenet --at inception"),
    ("landscape", "A network for a slide", "render mobilenet_v2 --landscape"),
    ("pair", "Two networks, aligned by the share of the image", "render mobilenet_v2 inception_v3"),
    (
        "chart",
        "MACs, accuracy and parameters (top-1 of torchvision's first weights, by its table of models)",
        "chart alexnet=56.5 vgg16=71.6 vgg19=72.4 googlenet=69.8 inception_v3=77.3 resnet18=69.8 resnet50=76.1 "
        "resnet152=78.3 densenet121=74.4 densenet201=76.9 mobilenet_v2=71.9",
    ),
]  # fmt: skip
NETWORKS = {
    "alexnet": "AlexNet", "vgg16": "VGG-16", "googlenet": "GoogLeNet", "inception_v3": "Inception v3",
    "mobilenet_v2": "MobileNetV2", "resnet152": "ResNet-152", "densenet201": "DenseNet-201",
}  # fmt: skip
LEVELS = {"row": "the rows of its table", "block": "the blocks in them", "layer": "every layer"}
LESSONS = ("lesson_standard_conv", "lesson_grouped_conv", "lesson_depthwise_separable")


def pictures() -> dict[str, tuple[str, str]]:
    """By the picture's name: what it shows, and the command without its output."""
    found = {name: (title, command) for name, title, command in FIGURES}
    for network, title in NETWORKS.items():
        for level, what in LEVELS.items():
            found[f"{network}_{level}"] = (f"{title}: {what}", f"render {network} --level {level}")
    return found


def page() -> Iterator[str]:
    """The text of docs/gallery.md."""
    yield from (NOTE, "", HEAD)
    for name, (title, command) in pictures().items():
        network, _, level = name.rpartition("_")
        if level == "row" and network in NETWORKS:
            yield f"## {NETWORKS[network]}\n"
        elif network not in NETWORKS:
            yield f"## {title.partition(' (')[0]}\n"
        yield f"```sh\narchspec {command} -o {name}.svg\n```\n"
        yield (
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="gallery/{name}_dark.svg">'
            f'<img src="gallery/{name}.svg" alt="{title}"></picture>\n'
        )
        if "(" in title:
            yield f"{title}.\n"


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name, (_, command) in pictures().items():
        for theme, suffix in (("light", ""), ("dark", "_dark")):
            draw(f"{command} --theme {theme}", f"{name}{suffix}.svg")
    for name in LESSONS:
        draw(f"render {name}", f"{name}.svg")
    (DOCS / "gallery.md").write_text("\n".join(page()).rstrip() + "\n", encoding="utf-8", newline="\n")


def draw(command: str, name: str) -> None:
    if run([*shlex.split(command), "-o", str(PICTURES / name)]):
        raise SystemExit(f"archspec {command} failed")


if __name__ == "__main__":
    sys.exit(main())
