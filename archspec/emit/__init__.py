"""`Graph` -> readable source: what all frameworks share. A backend says what a layer is called; the rest is here.

The scopes of the Graph that are instances of one block become one class or function (`merging`), whose parameters are
the values in which they differ (`parameters`); its steps become statements as a person would write them (`flow`). Text
of the spec is only ever put into strings and comments (`page`).
"""

from archspec.emit.printed import Printed, WritesSource

__all__ = ["Printed", "WritesSource"]
