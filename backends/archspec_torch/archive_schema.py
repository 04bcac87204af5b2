"""What the JSON in an archive of `torch.export` is made of: the parts of torch's schema that a network has.

Of each union one member is there. What is not said here is skipped; a member that is not known makes a union empty.
"""

from typing import Any

from msgspec import Struct

Real = float | str
"""A number; those that JSON has not are `Infinity`, `-Infinity` and `NaN`."""


class Name(Struct, frozen=True):
    name: str


class Expression(Struct, frozen=True):
    expr_str: str


class Size(Struct, frozen=True):
    """A number, or the text of an expression."""

    as_int: int | None = None
    as_float: Real | None = None
    as_expr: Expression | None = None


class TensorSaid(Struct, frozen=True):
    dtype: int
    sizes: tuple[Size, ...]
    strides: tuple[Size, ...]
    storage_offset: Size


class Number(Struct, frozen=True):
    """A number, or the name of a value that is one."""

    as_name: str | None = None
    as_int: int | None = None
    as_float: Real | None = None
    as_bool: bool | None = None


class OptionalTensor(Struct, frozen=True):
    as_tensor: Name | None = None


class Argument(Struct, frozen=True):
    as_none: bool | None = None
    as_tensor: Name | None = None
    as_tensors: tuple[Name, ...] | None = None
    as_optional_tensor: OptionalTensor | None = None
    as_optional_tensors: tuple[OptionalTensor, ...] | None = None
    as_int: int | None = None
    as_ints: tuple[int, ...] | None = None
    as_float: Real | None = None
    as_floats: tuple[Real, ...] | None = None
    as_string: str | None = None
    as_bool: bool | None = None
    as_bools: tuple[bool, ...] | None = None
    as_sym_int: Number | None = None
    as_sym_ints: tuple[Number, ...] | None = None
    as_sym_float: Number | None = None
    as_sym_floats: tuple[Number, ...] | None = None
    as_sym_bool: Number | None = None
    as_scalar_type: int | None = None
    as_memory_format: int | None = None


class NamedArgument(Struct, frozen=True):
    name: str
    arg: Argument


class Node(Struct, frozen=True):
    target: str
    inputs: tuple[NamedArgument, ...]
    outputs: tuple[Argument, ...]
    metadata: dict[str, Any]
    name: str | None = None


class Graph(Struct, frozen=True):
    inputs: tuple[Argument, ...]
    nodes: tuple[Node, ...]
    tensor_values: dict[str, TensorSaid]
    sym_int_values: dict[str, Size]
    sym_float_values: dict[str, Size] = {}


class UserInput(Struct, frozen=True):
    arg: Argument


class Parameter(Struct, frozen=True):
    arg: Name
    parameter_name: str


class Buffer(Struct, frozen=True):
    arg: Name
    buffer_name: str


class TensorConstant(Struct, frozen=True):
    arg: Name
    tensor_constant_name: str


class ConstantInput(Struct, frozen=True):
    name: str
    value: Argument


class InputSpec(Struct, frozen=True):
    user_input: UserInput | None = None
    parameter: Parameter | None = None
    buffer: Buffer | None = None
    tensor_constant: TensorConstant | None = None
    constant_input: ConstantInput | None = None


class UserOutput(Struct, frozen=True):
    arg: Argument


class BufferMutation(Struct, frozen=True):
    buffer_name: str


class ParameterMutation(Struct, frozen=True):
    parameter_name: str


class OutputSpec(Struct, frozen=True):
    user_output: UserOutput | None = None
    buffer_mutation: BufferMutation | None = None
    parameter_mutation: ParameterMutation | None = None


class Signature(Struct, frozen=True):
    input_specs: tuple[InputSpec, ...]
    output_specs: tuple[OutputSpec, ...]


class CallSignature(Struct, frozen=True):
    out_spec: str


class ModuleCall(Struct, frozen=True):
    fqn: str
    signature: CallSignature | None = None


class GraphModule(Struct, frozen=True):
    graph: Graph
    signature: Signature
    module_call_graph: tuple[ModuleCall, ...]


class Range(Struct, frozen=True):
    min_val: int | None = None
    max_val: int | None = None


class Exported(Struct, frozen=True):
    """A program."""

    graph_module: GraphModule
    range_constraints: dict[str, Range]
    guards_code: tuple[str, ...] = ()


class Version(Struct, frozen=True):
    major: int
    minor: int


class Versioned(Struct, frozen=True):
    """What is looked at first."""

    schema_version: Version
    torch_version: str = ""


class Payload(Struct, frozen=True):
    """Where a tensor is."""

    path_name: str
    use_pickle: bool
    tensor_meta: TensorSaid | None = None


class Payloads(Struct, frozen=True):
    config: dict[str, Payload]


class TreeSpec(Struct, frozen=True):
    """How the outputs are put together."""

    type: str | None
    context: str | None
    children_spec: tuple["TreeSpec", ...] = ()
