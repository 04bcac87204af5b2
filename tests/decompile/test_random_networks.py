"""Random networks, built and decompiled: the Graph is the one that they were built of, whatever became of its text."""

import pytest
from archspec_torch.runtime import build, run
from decompile.equality import alike, arrays, from_torch, off
from hypothesis import HealthCheck, given, settings
from random_networks import Part, networks

import archspec
from archspec.verify import random_images, random_tensors

SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def check(part: Part) -> None:
    for text in (part.text, part.by_hand):
        graph = archspec.parse(text).elaborate()
        weights, images = dict(random_tensors(graph, 3)), random_images(graph, 3)
        model = build(graph, weights=weights, dtype="float64")
        found = from_torch(model, *graph.input.shape)
        assert alike(graph, found.graph)
        assert found.text == archspec.format(found.text)
        again = run(build(found.graph, weights=arrays(found), dtype="float64"), found.graph, images)
        assert off(run(model, graph, images)["output"] + 1.0, again["output"] + 1.0) < 1e-9


@settings(max_examples=6, **SETTINGS)
@given(networks())
def test_a_network_is_decompiled_to_itself(part: Part) -> None:
    check(part)


@pytest.mark.huge
@settings(max_examples=400, **SETTINGS)
@given(networks())
def test_many_networks_are_decompiled_to_themselves(part: Part) -> None:
    check(part)
