"""Names of the Graph -> names that torch takes: a part that means something to `nn.Module` gets a `_`.

The names that are taken are written down, so that keys depend on no version of torch, and none is needed to know them.
"""

import keyword

TAKEN = frozenset({
    "T_destination", "__add__", "__annotations__", "__call__", "__class__", "__copy__", "__deepcopy__",
    "__delattr__", "__delitem__", "__dict__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattr__",
    "__getattribute__", "__getitem__", "__getstate__", "__gt__", "__hash__", "__iadd__", "__imul__", "__init__",
    "__init_subclass__", "__iter__", "__jit_unused_properties__", "__le__", "__len__", "__lt__", "__module__",
    "__mul__", "__ne__", "__new__", "__reduce__", "__reduce_ex__", "__reduce_package__", "__repr__", "__rmul__",
    "__setattr__", "__setitem__", "__setstate__", "__sizeof__", "__str__", "__subclasshook__", "__weakref__",
    "_apply", "_backward_hooks", "_backward_pre_hooks", "_boxed_call", "_buffers", "_call_impl", "_code",
    "_compiled_call_impl", "_create_node_hooks", "_deepcopy_hooks", "_deepcopy_init", "_erase_node_hooks",
    "_forward_hooks", "_forward_hooks_always_called", "_forward_hooks_with_kwargs", "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs", "_get_backward_hooks", "_get_backward_pre_hooks", "_get_item_by_idx",
    "_get_name", "_graph", "_is_full_backward_hook", "_lineno_map", "_load_from_state_dict",
    "_load_state_dict_post_hooks", "_load_state_dict_pre_hooks", "_maybe_warn_non_full_backward_hook", "_modules",
    "_named_members", "_non_persistent_buffers_set", "_parameters", "_prologue_start", "_recompile_submodules",
    "_register_create_node_hook", "_register_deepcopy_hook", "_register_erase_node_hook",
    "_register_load_state_dict_pre_hook", "_register_replace_node_hook", "_register_state_dict_hook",
    "_replace_hooks", "_replicate_for_data_parallel", "_save_to_state_dict", "_set_replace_hook", "_slow_forward",
    "_state_dict_hooks", "_state_dict_pre_hooks", "_tracer_cls", "_tracer_extras", "_unregister_create_node_hook",
    "_unregister_deepcopy_hook", "_unregister_erase_node_hook", "_unregister_replace_node_hook", "_version",
    "_wrapped_call", "_wrapped_call_impl", "add_module", "add_submodule", "append", "apply", "bfloat16", "buffers",
    "call_super_init", "children", "code", "compile", "cpu", "cuda", "delete_all_unused_submodules",
    "delete_submodule", "double", "dump_patches", "eval", "extend", "extra_repr", "float", "forward", "get_buffer",
    "get_extra_state", "get_parameter", "get_submodule", "graph", "half", "input", "insert", "ipu",
    "load_state_dict", "meta", "modules", "mtia", "named_buffers", "named_children", "named_modules",
    "named_parameters", "parameters", "pop", "print_readable", "recompile", "register_backward_hook",
    "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
    "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "self", "set_extra_state", "set_submodule", "shape_env", "share_memory", "state_dict", "to",
    "to_empty", "to_folder", "train", "training", "type", "xpu", "zero_grad",
})  # fmt: skip
"""Attributes of `nn.Sequential` and `torch.fx.GraphModule` (torch 2.13), and two names of arguments."""


def legal(name: str, siblings: set[str]) -> str:
    """The name of a submodule, unlike its siblings', which it joins."""
    while name in TAKEN or keyword.iskeyword(name) or name in siblings:
        name += "_"
    siblings.add(name)
    return name
