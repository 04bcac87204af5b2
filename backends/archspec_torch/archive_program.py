"""What an archive of `torch.export` says in JSON -> a program for our reader, its sizes as numbers.

A file may leave sizes open. The image says what they are; the batch, which stays open, is a number that no other
size. Of the operators only those of ATen are looked up, by their names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import torch

from archspec.decompile import Unreadable
from archspec.printable import printable
from archspec.tensor import Shape, shape_text
from archspec_torch import archive_schema as schema
from archspec_torch.archive_sizes import Sizes
from archspec_torch.program import (
    GETITEM,
    Called,
    Constant,
    NotKnown,
    Program,
    Step,
    Told,
    bound,
    call_number,
    linked,
    strides,
)  # fmt: skip
from archspec_torch.records import Damaged

TARGET = re.compile(r"torch\.ops\.aten\.([A-Za-z_][A-Za-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)")
TYPES = (
    None, "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32", "complex64",
    "complex128", "bool", "bfloat16",
)  # fmt: skip
"""Of the numbers of a tensor, as torch's schema counts them."""
FORMATS = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format}
STACKED = ";"


def program_from(
    exported: schema.Exported,
    state: Mapping[str, torch.Tensor],
    constants: Mapping[str, torch.Tensor],
    image: Shape | None,
) -> Program:
    """The program, on images of this shape where it takes several; raises `Damaged` or `Unreadable`."""
    return Translation(exported, {**constants, **state}, tuple(state), image).program()


def number_type(code: int) -> torch.dtype:
    """The type of a tensor's numbers; raises `Damaged`."""
    if not 0 < code < len(TYPES):
        raise Damaged(f"its numbers are of type {code}, which archspec does not read")
    return getattr(torch, str(TYPES[code]))  # type: ignore[no-any-return]


def overload_of(target: str) -> Any:
    """The operator of ATen that a target names; None where it is of others."""
    found = TARGET.fullmatch(target)
    packet = getattr(torch.ops.aten, found[1], None) if found else None
    overload = getattr(packet, found[2], None) if found else None
    return overload if isinstance(overload, torch._ops.OpOverload) else None


@dataclass(slots=True)
class Translation:
    """One program on its way."""

    exported: schema.Exported
    tensors: Mapping[str, torch.Tensor]
    keys: Sequence[str]
    image: Shape | None
    sizes: Sizes = field(init=False)
    steps: dict[str, Step] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)

    @property
    def graph(self) -> schema.Graph:
        return self.exported.graph_module.graph

    def program(self) -> Program:
        """The program; raises `Damaged` or `Unreadable`."""
        signature = self.exported.graph_module.signature
        names = [name for spec in signature.input_specs if (name := user_input(spec)) is not None]
        self.sizes = Sizes(self.exported, self.image, [self.said(name) for name in names])
        for spec in signature.input_specs:
            self.given(spec)
        for node in self.graph.nodes:
            self.node(node)
        outputs = [spec.user_output.arg for spec in signature.output_specs if spec.user_output is not None]
        buffers = [spec.buffer_mutation.buffer_name for spec in signature.output_specs if spec.buffer_mutation]
        parameters = [m.parameter_name for spec in signature.output_specs if (m := spec.parameter_mutation)]
        return Program(
            steps=linked(list(self.steps.values())),
            images=[self.steps[name] for name in names],
            constants=self.constants,
            outputs=[self.step(arg.as_tensor.name) for arg in outputs if arg.as_tensor is not None],
            keys=self.keys,
            names=self.output_names(),
            changed=[*buffers, *parameters],
            claimed=True,
        )

    def said(self, name: str) -> schema.TensorSaid:
        """What the file says of a tensor; raises `Damaged`."""
        found = self.graph.tensor_values.get(name)
        if found is None:
            raise Damaged(f"it does not say what `{name}` is")
        return found

    def step(self, name: str) -> Step:
        """The step that makes a value; raises `Damaged`."""
        found = self.steps.get(name)
        if found is None:
            raise Damaged(f"it takes `{name}` before it is made")
        return found

    def keep(self, step: Step) -> Step:
        if step.name in self.steps:
            raise Damaged(f"it makes `{step.name}` twice")
        self.steps[step.name] = step
        return step

    # ---- what it is given ----

    def given(self, spec: schema.InputSpec) -> None:
        """An input, a weight or a constant."""
        match spec:
            case schema.InputSpec(parameter=schema.Parameter(arg=arg, parameter_name=key)):
                self.constant(arg.name, key, True)
            case schema.InputSpec(buffer=schema.Buffer(arg=arg, buffer_name=key)):
                self.constant(arg.name, key, False)
            case schema.InputSpec(tensor_constant=schema.TensorConstant(arg=arg, tensor_constant_name=key)):
                self.constant(arg.name, key, False)
            case schema.InputSpec(constant_input=schema.ConstantInput(name=name, value=value)):
                self.keep(Step(name, told=self.argument(value)))
            case schema.InputSpec(user_input=schema.UserInput(arg=arg)) if arg.as_tensor is not None:
                name = arg.as_tensor.name
                self.keep(Step(name, told=self.told(name), whole=self.whole(name)))
            case schema.InputSpec(user_input=schema.UserInput()):
                raise Unreadable("it takes numbers besides its image")
            case _:
                raise Unreadable("it holds objects of Python, which only code could read")

    def constant(self, name: str, key: str, trained: bool) -> None:
        held = self.tensors.get(key)
        if held is None:
            raise Damaged(f"it does not hold `{key}`")
        said = Told(tuple(held.shape), held.dtype)
        if name in self.graph.tensor_values and self.told(name) != said:
            raise Damaged(f"`{key}` is {shape_text(tuple(held.shape))}, and the file says otherwise")
        self.constants[name] = Constant(key, held.detach(), trained)
        self.keep(Step(name, told=said))

    def told(self, name: str) -> Told:
        """What the file says of a tensor, its sizes as numbers where they are known; raises `Damaged`."""
        said = self.said(name)
        return Told(tuple(map(self.sizes.number, said.sizes)), number_type(said.dtype))

    def whole(self, name: str) -> bool:
        """Whether a tensor is one piece of memory from its start."""
        said = self.said(name)
        shape, steps = ([self.sizes.number(size) for size in sizes] for sizes in (said.sizes, said.strides))
        known = [side for side in shape if side is not None]
        return len(known) == len(shape) and steps == strides(known) and self.sizes.number(said.storage_offset) == 0

    # ---- steps ----

    def node(self, node: schema.Node) -> None:
        """One call; of several results each is a step of its own."""
        overload = overload_of(node.target)
        given = {argument.name: self.argument(argument.arg) for argument in node.inputs}
        names = list(results(node.outputs))
        one = len(names) == 1 and node.outputs[0].as_tensors is None
        made = Step(
            name=str(names[0]) if one and names[0] is not None else self.fresh(node),
            target=node.target,
            overload=overload,
            arguments=given if overload is None else bound(overload, given),
            around=list(around(node)),
        )
        made.told = self.result(names[0]) if one else [self.result(name) for name in names]
        made.whole = one and names[0] in self.graph.tensor_values and self.whole(str(names[0]))
        self.keep(made)
        for place, name in enumerate(names if not one else []):
            if name is not None:
                part = Step(name, GETITEM, None, {"0": made, "1": place}, self.result(name), made.around)
                self.keep(part)

    def fresh(self, node: schema.Node) -> str:
        """A name for a call that has none of its own."""
        name = node.name or node.target
        while name in self.steps or name in self.graph.tensor_values:
            name += "_"
        return name

    def result(self, name: str | None) -> Any:
        """What is said of a result."""
        if name is None:
            return None
        if name in self.graph.tensor_values:
            return self.told(name)
        size = self.graph.sym_int_values.get(name) or self.graph.sym_float_values.get(name)
        found = self.sizes.number(size) if size is not None else None
        return NotKnown() if found is None else found

    def argument(self, given: schema.Argument) -> Any:
        """The value of an argument, other steps in it."""
        match given:
            case schema.Argument(as_tensor=schema.Name(name=name)):
                return self.step(name)
            case schema.Argument(as_tensors=tuple(names)):
                return [self.step(name.name) for name in names]
            case schema.Argument(as_optional_tensor=schema.OptionalTensor() as one):
                return self.optional(one)
            case schema.Argument(as_optional_tensors=tuple(several)):
                return [self.optional(one) for one in several]
            case (
                schema.Argument(as_sym_int=schema.Number() as number)
                | schema.Argument(as_sym_float=schema.Number() as number)
                | schema.Argument(as_sym_bool=schema.Number() as number)
            ):
                return self.number(number)
            case schema.Argument(as_sym_ints=tuple(numbers)) | schema.Argument(as_sym_floats=tuple(numbers)):
                return [self.number(number) for number in numbers]
            case schema.Argument(as_scalar_type=int(code)):
                return number_type(code)
            case schema.Argument(as_memory_format=int(code)):
                return FORMATS.get(code)
        return plain(given)

    def optional(self, given: schema.OptionalTensor) -> Step | None:
        return self.step(given.as_tensor.name) if given.as_tensor is not None else None

    def number(self, given: schema.Number) -> Any:
        if given.as_name is None:
            return plain(given)
        self.step(given.as_name)
        return self.result(given.as_name)

    # ---- the end ----

    def output_names(self) -> Sequence[str]:
        """The keys of the dictionary that the outputs are, if they are one."""
        whole = next((call.signature for call in self.exported.graph_module.module_call_graph if not call.fqn), None)
        if whole is None:
            return ()
        try:
            _, spec = msgspec.json.decode(whole.out_spec, type=tuple[int, schema.TreeSpec])
            flat = not any(child.children_spec for child in spec.children_spec)
            if spec.type != "builtins.dict" or not flat:
                return ()
            return list(map(str, msgspec.json.decode(spec.context or "", type=list[str | int])))
        except (msgspec.DecodeError, RecursionError):
            raise Damaged("it does not say what its outputs are") from None


def user_input(spec: schema.InputSpec) -> str | None:
    """The name of a tensor that whoever calls the program gives."""
    given = spec.user_input.arg.as_tensor if spec.user_input is not None else None
    return given.name if given is not None else None


def results(outputs: Sequence[schema.Argument]) -> Iterator[str | None]:
    """The names of what a call gives; None for nothing."""
    for output in outputs:
        if output.as_tensors is not None:
            yield from (name.name for name in output.as_tensors)
        elif output.as_tensor is not None:
            yield output.as_tensor.name
        else:
            number = output.as_sym_int or output.as_sym_float or output.as_sym_bool
            yield number.as_name if number is not None else None


def plain(given: schema.Argument | schema.Number) -> Any:
    """The number, text or list that an argument is; what is not read is not known."""
    found = [value for name in given.__struct_fields__ if (value := getattr(given, name)) is not None]
    if len(found) != 1:
        return NotKnown()
    if getattr(given, "as_none", None):
        return None
    real = any(getattr(given, name, None) is not None for name in ("as_float", "as_floats"))
    if isinstance(found[0], tuple):
        return [real_number(part) if real else part for part in found[0]]
    return real_number(found[0]) if real else found[0]


def real_number(value: schema.Real) -> float:
    """A number, or one that JSON has no sign for; raises `Damaged`."""
    if isinstance(value, str) and value not in {"Infinity", "-Infinity", "NaN"}:
        raise Damaged(f"`{printable(value)}` is not a number")
    return float(value)


def around(node: schema.Node) -> Iterator[Called]:
    """The modules that a call stands in, outermost first: `key,path,class` for each."""
    stack = node.metadata.get("nn_module_stack")
    for entry in stack.split(STACKED) if isinstance(stack, str) and stack else ():
        parts = entry.split(",")
        if len(parts) >= 3:
            # only the key may have commas in brackets, and a path has none
            yield Called(parts[-2], parts[-1], call_number(parts[0]))
