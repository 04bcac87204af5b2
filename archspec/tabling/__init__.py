"""A network -> the table that a paper prints of it: its own where it has one, else one of its steps.

What is printed is read again, as `archspec import` reads it, and compared with the network (`proof`).
"""

from archspec.tabling.choose import Tables, Unprintable, tables_of

__all__ = ["Tables", "Unprintable", "tables_of"]
