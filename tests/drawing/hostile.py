"""A network whose every text tries to be more than a text."""

from graphs import SPAN, graph

from archspec.graph import Graph, PrintedCell, Scope
from archspec.ops import OPERATORS

TEXTS = (
    '</script><script>window.hurt = 1</script>',
    '"]; a -> b [label="x" URL="http://evil.example/"',
    '<IMG SRC="http://evil.example/x.png"/><B>bold</B> &amp; &lt; &nosuch; &#0; & ',
    "<img src=x onerror='window.hurt = 1'>",
    "line\nline\ttab \x1b[31mred\x07 \u202egnp.exe \u2028 \ufeff \x00",
    "]]> --> */ \\N \\G \\l {{}} ' ` ${window.hurt = 1}",
)  # fmt: skip


def network() -> Graph:
    """A row for each of the texts, each with a convolution and what follows it."""
    conv, relu = OPERATORS["conv"], OPERATORS["relu"]
    items = []
    for i in range(len(TEXTS)):
        items += [(f"row_{i}/conv", conv(kernel=3, channels=4)), (f"row_{i}/relu", relu())]
        items += [(f"row_{i}/conv_2", conv(kernel=1, channels=4))]
    made = graph((8, 8, 3), *items)
    scopes = tuple(
        Scope(
            path=f"row_{i}", kind="row", label=text, name=text, span=SPAN,
            cells=(PrintedCell(header=text, text=text, role="variable"),),
        )
        for i, text in enumerate(TEXTS)
    )  # fmt: skip
    return made.model_copy(update={"scopes": scopes, "title": "".join(TEXTS), "name": TEXTS[0]})
