"""Laws: what holds of every text and of every network."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_networks import Part, networks
from random_specs import specs

import archspec
from archspec.diagnostics import Diagnostic
from archspec.graph import Graph
from archspec.report import report
from archspec.source import Source, Span
from archspec.stats import By
from archspec.syntax import parse
from archspec.syntax import tree as t
from archspec.syntax.comments import comments

ROOT = Path(__file__).parent.parent
PARTS = [path.read_text(encoding="utf-8") for folder in ("specs", "archspec/blocks") for path in (ROOT / folder).glob("*.arch")]
