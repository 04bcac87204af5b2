"""Graphs -> one page of HTML that needs nothing else: the diagram, its table, what the pointer asks for.

The page is data (`networks`), and the script and style that `web/` was built to; its Content-Security-Policy allows
these two, by their hashes, and nothing from anywhere.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib import resources
from itertools import chain, groupby
from typing import Any

from msgspec import to_builtins

from archspec.drawing.palette import PALETTES, SAID
from archspec.drawing.scene import LIGHT, Box, layer_text, scene, shape_label
from archspec.drawing.view import common, runs, scaled, skips
from archspec.escape import html_text, json_text
from archspec.graph import Graph, Node
from archspec.printable import printable
from archspec.receptive import Field, receptive_fields
from archspec.stages import stage_label, stage_of, stages
from archspec.tensor import BYTES

Data = dict[str, Any]


def page(graphs: Sequence[Graph]) -> str:
    """The whole page."""
    script, style = asset("page.js"), asset("page.css")
    names = " and ".join(graph.title or graph.name for graph in graphs)
    allowed = f"script-src {hashed(script)}; style-src {hashed(style)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html_text(names)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<noscript>This page draws its diagram with JavaScript.</noscript>\n<div id="archspec"></div>\n'
        f'<script id="data" type="application/json">{embedded(seen(networks(graphs)))}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def asset(name: str) -> str:
    """A file that the build step wrote."""
    return (resources.files("archspec.drawing") / "assets" / name).read_text(encoding="utf-8")


def hashed(text: str) -> str:
    """What a Content-Security-Policy calls an inline script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def embedded(data: Data) -> str:
    """JSON as it may stand in HTML, whatever texts it has."""
    return json_text(data, separators=(",", ":")).replace("<", "\\u003c")


def seen(data: Any) -> Any:
    """Data whose every text can be seen as it is."""
    match data:
        case str():
            return printable(data)
        case dict():
            return {key: seen(value) for key, value in data.items()}
        case list() | tuple():
            return [seen(value) for value in data]
    return data


def networks(graphs: Sequence[Graph]) -> Data:
    """All that the page shows, as JSON has it."""
    return {
        "networks": [Describer(graph).network() for graph in graphs],
        "families": dict(SAID),
        "themes": {name: to_builtins(palette) for name, palette in PALETTES.items()},
    }


class Describer:
    """Describes one network."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.fields = receptive_fields(graph)

    def network(self) -> Data:
        graph = self.graph
        boxes = scene(graph)
        inside = [self.box(box) for box in boxes]
        ends = [self.end(name, path) for name, path in graph.outputs.items()]
        places = owners(boxes)
        links = self.links(boxes, places)
        links += [
            [places[path], len(boxes) + i, shape_label(graph.by_path[path].shape), False]
            for i, path in enumerate(graph.outputs.values())
        ]
        stats = graph.stats()
        return {
            "name": graph.name,
            "title": graph.title or graph.name,
            "cite": list(graph.cite),
            "note": scaled(graph),
            "params": stats.params,
            "macs": stats.macs,
            "nodes": stats.nodes,
            "boxes": inside + ends,
            "links": links,
            "runs": self.runs(boxes),
            "tables": self.tables(boxes),
            "stages": [
                {**to_builtins(stage), "label": stage_label(stage.number)} for stage in stages(graph)
            ],
        }  # fmt: skip

    def end(self, name: str, path: str) -> Data:
        """The box of an output."""
        return {
            "path": f"output:{name}", "title": name, "notes": [], "family": "input", "params": 0, "macs": 0,
            "memory": 0, "nodes": 0, "row": "", "shape": shape_label(self.graph.by_path[path].shape),
        }  # fmt: skip

    def box(self, box: Box) -> Data:
        """A box and all in it."""
        title, notes = box.title, list(box.notes)
        outer = box
        while len(box.children) == 1 and box.children[0].children:
            box = box.children[0]
            notes += [box.title] * (box.title.partition("(")[0] != title)
        found: Data = {
            "path": outer.path,
            "title": title,
            "notes": notes,
            "family": outer.family,
            "params": outer.counts.params,
            "macs": outer.counts.macs,
            "memory": outer.counts.activations,
            "nodes": outer.counts.nodes,
            "shape": shape_label(outer.shape),
            "row": outer.row,
            "stage": stage_of(self.graph.input.shape, outer.shape),
        }
        if box.layers and box.family != "input":
            found["layers"] = [self.layer(node) for node in box.layers]
        if box.children:
            places = owners(box.children)
            found["boxes"] = [self.box(child) for child in box.children]
            found["links"] = self.links(box.children, places)
            found["ends"] = sorted({places[path] for path in box.outputs if path in places})
            found["runs"] = self.runs(box.children)
        return found

    def runs(self, boxes: Sequence[Box]) -> list[Any]:
        """Which boxes are alike and can be shown once: the place of the first, how many, what they have in common."""
        made, start = [], 0
        for run in runs(boxes, True, self.graph.outputs.values()):
            if len(run) > 1:
                made.append([start, len(run), common([box.title for box in run])])
            start += len(run)
        return made

    def links(self, boxes: Sequence[Box], places: Mapping[str, int]) -> list[Any]:
        """What the boxes take of each other, and (-1) of what is around them: from, to, shape, whether it is a skip."""
        found: dict[tuple[int, int], str] = {}
        for i, box in enumerate(boxes):
            for path in chain.from_iterable(node.inputs for node in box.nodes()):
                source = places.get(path, -1)
                if source != i:
                    found.setdefault((source, i), shape_label(self.graph.by_path[path].shape))
        around = skips(len(boxes) + 1, {(a + 1, b + 1): () for a, b in found})
        return [[a, b, shape, (a + 1, b + 1) in around] for (a, b), shape in found.items()]

    def layer(self, node: Node) -> Data:
        """An operator, and what the pointer asks of it."""
        given = self.graph.input_shapes(node)
        size = 1
        for side in node.shape:
            size *= side
        return {
            "path": node.path,
            "text": layer_text(node),
            "family": node.op.family,
            "light": node.op.family in LIGHT,
            "input": " and ".join(shape_label(shape) for shape in given[:3]) + (", …" if len(given) > 3 else ""),
            "shape": shape_label(node.shape),
            "params": node.op.params(*given),
            "macs": node.op.macs(*given),
            "memory": size * BYTES["fp32"],
            "field": field_text(self.fields[node.path]),
            "at": f"{node.span.file}:{node.span.line}:{node.span.column}",
        }

    def tables(self, boxes: Sequence[Box]) -> list[Data]:
        """The spec's tables, row by row as they are printed, with the counts of each row."""
        rows = [box for box in boxes if box.family != "input"]
        cells = {box.path: scope.cells for box in rows if (scope := self.graph.scope_by_path.get(box.path))}
        made = []
        for headers, group in groupby(rows, lambda box: tuple(cell.header for cell in cells.get(box.path, ()))):
            made.append(
                {
                    "headers": list(headers) or ["layer"],
                    "rows": [
                        {
                            "path": box.path,
                            "cells": [cell.text for cell in cells.get(box.path, ())] or [self.called(box)],
                            "params": box.counts.params,
                            "macs": box.counts.macs,
                            "memory": box.counts.activations,
                        }
                        for box in group
                    ],
                }
            )
        return made

    def called(self, box: Box) -> str:
        return box.title or ", ".join(layer_text(node) for node in box.layers)


def owners(boxes: Sequence[Box]) -> dict[str, int]:
    """By a node's path: the place of the box that it is in."""
    return {node.path: i for i, box in enumerate(boxes) for node in box.nodes()}


def field_text(field: Field | None) -> str:
    return "the whole image" if field is None else f"{field[0]}×{field[1]} pixels"
