"""Operators that take several layers of Keras at every size, as functions for the written file."""

TEXTS = {
    "named": '''
def named(x: KerasTensor, name: str) -> KerasTensor:
    """A value that `keras.ops` computes, called as a layer would be; what Keras makes up may be a layer's name."""
    x._keras_history.operation.name = name
    return x
''',
    "channel_shuffle": '''
def channel_shuffle(x: KerasTensor, groups: int, name: str) -> KerasTensor:
    """Channel `g * n + i` of the n in each group goes to `i * groups + g`."""
    _, height, width, count = x.shape
    x = layers.Reshape((height * width, groups, count // groups), name=f"{name}--groups")(x)
    x = layers.Permute((1, 3, 2), name=f"{name}--permute")(x)
    return layers.Reshape((height, width, count), name=name)(x)
''',
    "channels": '''
def channels(x: KerasTensor, start: int, stop: int, name: str) -> KerasTensor:
    """The channels from `start` up to, and without, `stop`."""
    _, *sides, count = x.shape
    line = layers.Reshape((math.prod(sides), count, 1), name=f"{name}--line")(x)
    if stop - start < count:
        line = layers.Cropping2D(((0, 0), (start, count - stop)), name=f"{name}--crop")(line)
    return layers.Reshape((*sides, stop - start), name=name)(line)
''',
    "layer_scale": '''
def layer_scale(x: KerasTensor, init: float, name: str) -> KerasTensor:
    """A trained factor for each channel."""
    equation = "bhwc,c->bhwc" if len(x.shape) == 4 else "bc,c->bc"
    first = keras.initializers.Constant(init)
    return layers.EinsumDense(equation, x.shape[1:], kernel_initializer=first, name=name)(x)
''',
    "local_response_norm": '''
def local_response_norm(x: KerasTensor, size: int, alpha: float, beta: float, k: float, name: str) -> KerasTensor:
    """x / (k + alpha * sum of x squared) ** beta, the sum over `size` neighbouring channels."""
    _, height, width, count = x.shape
    line = layers.Multiply(name=f"{name}--square")([x, x])
    line = layers.Reshape((height * width, count, 1), name=f"{name}--line")(line)
    if size > 1:
        line = layers.ZeroPadding2D((0, size // 2), name=f"{name}--pad")(line)
    mean = layers.AveragePooling2D((1, size), 1, name=f"{name}--mean")(line)
    base = layers.Rescaling(alpha * size, k, name=f"{name}--base")(mean)
    power = named(keras.ops.power(base, -beta), name=f"{name}--power")
    factor = layers.Reshape((height, width, count), name=f"{name}--factor")(power)
    return layers.Multiply(name=name)([x, factor])
''',
}
"""Name to text."""
