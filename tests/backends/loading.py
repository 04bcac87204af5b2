"""README.md has what follows: how what `archspec build` saves is loaded, where there is no archspec."""

import keras
import onnxruntime
import torch

module = torch.load("net.pt", weights_only=False).eval()  # runs what is in the file: only of files that you trust
exported = torch.export.load("net.pt2").module()  # so does this
session = onnxruntime.InferenceSession("net.onnx")
model = keras.saving.load_model("net.keras")

images = torch.randn(2, 3, 224, 224)  # N×C×H×W, but for Keras
outputs = [
    module(images).detach(),
    exported(images).detach(),
    session.run(None, {"input": images.numpy()})[0],
    model(images.permute(0, 2, 3, 1).numpy(), training=False),
]
