"""A trace -> a function of the numbers it was given: what was computed, if every guard holds, and else None."""

from collections.abc import Callable, Sequence
from typing import Any

from archspec.search.traced import OPERATIONS, Operand, Trace, Traced

INFIX = frozenset({"+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "=="})


def compiled(trace: Trace, outputs: Sequence[Operand]) -> Callable[..., tuple[Any, ...] | None]:
    """The function; its arguments are the trace's inputs in their order, its results the outputs.

    Each number is computed when the first guard or output needs it. The text consists of names that are made here, and
    of numbers: nothing of a spec's text gets into it.
    """
    lines: list[str] = []
    done: set[int] = set()
    names: dict[str, Any] = {f"f{number}": function for number, function in enumerate(OPERATIONS.values())}
    functions = {name: f"f{number}" for number, name in enumerate(OPERATIONS)}

    def text(operand: Operand) -> str:
        return f"v{operand.index}" if type(operand) is Traced else f"({operand!r})"

    def applied(name: str, operands: Sequence[Operand]) -> str:
        if name in INFIX:
            return f"{text(operands[0])} {name} {text(operands[1])}"
        return f"{functions[name]}({', '.join(map(text, operands))})"

    def need(operands: Sequence[Operand]) -> None:
        pending = [operand.index for operand in operands if type(operand) is Traced]
        while pending:
            index = pending[-1]
            name, inner = trace.steps[index]
            missing = [o.index for o in inner if type(o) is Traced and o.index not in done]
            if index not in done and missing:
                pending += missing
                continue
            pending.pop()
            if index not in done:
                done.add(index)
                if name != "input":
                    lines.append(f"v{index} = {applied(name, inner)}")

    for name, operands, answer in trace.guards.values():
        need(operands)
        if name == "is":
            lines.append(f"if {text(operands[0])} != {answer!r}: return None")
        else:
            lines.append(f"if {'not ' if answer else ''}({applied(name, operands)}): return None")
    need(outputs)
    lines.append(f"return ({''.join(text(output) + ', ' for output in outputs)})")
    inputs = [f"v{index}" for index, (name, _) in enumerate(trace.steps) if name == "input"]
    body = "\n  ".join(lines)
    exec(compile(f"def function({', '.join(inputs)}):\n  {body}", "<trace>", "exec"), names)
    made: Callable[..., tuple[Any, ...] | None] = names["function"]
    return made
