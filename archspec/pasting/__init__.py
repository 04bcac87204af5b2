"""A table that was pasted -> a spec: find the tables of a text, recognise the conventions of one, write it down."""

from archspec.pasting.attempt import FOLDER
from archspec.pasting.draft import drafted
from archspec.pasting.recognise import Pasted, pasted
from archspec.pasting.steps import LEGEND
from archspec.pasting.tables import Found, tables_in

__all__ = ["FOLDER", "LEGEND", "Found", "Pasted", "drafted", "pasted", "tables_in"]
