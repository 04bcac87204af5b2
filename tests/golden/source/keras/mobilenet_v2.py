"""MobileNetV2: Inverted Residuals and Linear Bottlenecks

arXiv:1801.04381v4, Table 2

| Input    | Operator    | t | c    | n | s |
|----------|-------------|---|------|---|---|
| 224²×3   | conv2d      | - | 32   | 1 | 2 |
| 112²×32  | bottleneck  | 1 | 16   | 1 | 1 |
| 112²×16  | bottleneck  | 6 | 24   | 2 | 2 |
| 56²×24   | bottleneck  | 6 | 32   | 3 | 2 |
| 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |
| 14²×64   | bottleneck  | 6 | 96   | 3 | 1 |
| 14²×96   | bottleneck  | 6 | 160  | 3 | 2 |
| 7²×160   | bottleneck  | 6 | 320  | 1 | 1 |
| 7²×320   | conv2d 1x1  | - | 1280 | 1 | 1 |
| 7²×1280  | avgpool 7x7 | - | -    | 1 | - |
| 1×1×1280 | conv2d 1x1  | - | k    | - |   |

MobileNetV2(alpha = 1.0, pad = same, eps = 1e-05, momentum = 0.1, drop = 0.2, cut = false, k = 1000) on 224×224×3:
3,504,872 parameters, 300,774,272 multiply-accumulates.

First weights in the spec: conv = kaiming_normal(mode = fan_out), dwconv = kaiming_normal(mode = fan_out), linear =
normal(std = 0.01); here they are the framework's own.
"""

import keras
from keras import KerasTensor, layers


def cbr(x: KerasTensor, filters: int, kernel_size: int, strides: int = 1, *, name: str) -> KerasTensor:
    """The block `cbr`."""
    if strides != 1:
        x = layers.ZeroPadding2D(1, name=f"{name}-conv--pad")(x)
    x = layers.Conv2D(filters, kernel_size, strides=strides, use_bias=False, name=f"{name}-conv")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-05, name=f"{name}-bn")(x)
    return layers.Activation("relu6", name=f"{name}-relu6")(x)


def bottleneck(x: KerasTensor, filters: int, hidden_filters: int = 0, strides: int = 1, *, name: str) -> KerasTensor:
    """The block `bottleneck`."""
    has_conv_1 = hidden_filters > 0
    skip = strides == 1 and x.shape[-1] == filters
    y = x
    if has_conv_1:
        y = layers.Conv2D(hidden_filters, 1, use_bias=False, name=f"{name}-conv_1")(y)
        y = layers.BatchNormalization(momentum=0.9, epsilon=1e-05, name=f"{name}-bn_1")(y)
        y = layers.Activation("relu6", name=f"{name}-relu6_1")(y)
    if strides != 1:
        y = layers.ZeroPadding2D(1, name=f"{name}-dwconv--pad")(y)
    y = layers.DepthwiseConv2D(
        3, strides=strides, padding="same" if strides == 1 else "valid", use_bias=False, name=f"{name}-dwconv"
    )(y)
    y = layers.BatchNormalization(momentum=0.9, epsilon=1e-05, name=f"{name}-bn_2")(y)
    y = layers.Activation("relu6", name=f"{name}-relu6_2")(y)
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}-conv_2")(y)
    y = layers.BatchNormalization(momentum=0.9, epsilon=1e-05, name=f"{name}-bn_3")(y)
    if skip:
        y = layers.Add(name=f"{name}-add")([x, y])
    return y


def MobileNetV2() -> keras.Model:
    x = inputs = keras.Input((224, 224, 3), name="input")
    # | 224²×3   | conv2d      | - | 32   | 1 | 2 |
    x = cbr(x, 32, 3, strides=2, name="row_1-cbr_1")
    # | 112²×32  | bottleneck  | 1 | 16   | 1 | 1 |
    x = bottleneck(x, 16, name="row_2-bottleneck_1")
    # | 112²×16  | bottleneck  | 6 | 24   | 2 | 2 |
    x = bottleneck(x, 24, hidden_filters=96, strides=2, name="row_3-bottleneck_1")
    x = bottleneck(x, 24, hidden_filters=144, name="row_3-bottleneck_2")
    # | 56²×24   | bottleneck  | 6 | 32   | 3 | 2 |
    x = bottleneck(x, 32, hidden_filters=144, strides=2, name="row_4-bottleneck_1")
    x = bottleneck(x, 32, hidden_filters=192, name="row_4-bottleneck_2")
    x = bottleneck(x, 32, hidden_filters=192, name="row_4-bottleneck_3")
    # | 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |
    x = bottleneck(x, 64, hidden_filters=192, strides=2, name="row_5-bottleneck_1")
    for i in range(2, 5):
        x = bottleneck(x, 64, hidden_filters=384, name=f"row_5-bottleneck_{i}")
    # | 14²×64   | bottleneck  | 6 | 96   | 3 | 1 |
    x = bottleneck(x, 96, hidden_filters=384, name="row_6-bottleneck_1")
    x = bottleneck(x, 96, hidden_filters=576, name="row_6-bottleneck_2")
    x = bottleneck(x, 96, hidden_filters=576, name="row_6-bottleneck_3")
    # | 14²×96   | bottleneck  | 6 | 160  | 3 | 2 |
    x = bottleneck(x, 160, hidden_filters=576, strides=2, name="row_7-bottleneck_1")
    x = bottleneck(x, 160, hidden_filters=960, name="row_7-bottleneck_2")
    x = bottleneck(x, 160, hidden_filters=960, name="row_7-bottleneck_3")
    # | 7²×160   | bottleneck  | 6 | 320  | 1 | 1 |
    x = bottleneck(x, 320, hidden_filters=960, name="row_8-bottleneck_1")
    # | 7²×320   | conv2d 1x1  | - | 1280 | 1 | 1 |
    x = cbr(x, 1280, 1, name="row_9-cbr_1")
    # | 7²×1280  | avgpool 7x7 | - | -    | 1 | - |
    x = layers.GlobalAveragePooling2D(keepdims=True, name="row_10-global_avgpool_1")(x)
    # | 1×1×1280 | conv2d 1x1  | - | k    | - |   |
    x = layers.Dropout(0.2, name="row_11-dropout")(x)
    x = layers.Flatten(name="row_11-flatten")(x)
    x = layers.Dense(1000, name="row_11-linear")(x)
    return keras.Model(inputs, x, name="MobileNetV2")
