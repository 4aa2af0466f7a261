"""DeepSpeech (Hannun et al. 2014, as Mozilla DeepSpeech 0.6 and Coqui STT changed it) under TensorFlow's names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="deepspeech",
    title="DeepSpeech",
    task="recogniser",
    parts=(
        Part("layer_1", "layer 1"),
        Part("layer_2", "layer 2"),
        Part("layer_3", "layer 3"),
        Part("lstm", "LSTM"),
        Part("layer_5", "layer 5"),
        Part("layer_6", "output layer"),
    ),
    prefixes=(
        ("layer_1/", "layer_1"),
        ("layer_2/", "layer_2"),
        ("layer_3/", "layer_3"),
        ("cudnn_lstm/", "lstm"),
        ("layer_5/", "layer_5"),
        ("layer_6/", "layer_6"),
    ),
    symbol_axis={"layer_6/weights": 1, "layer_6/bias": 0},
    layers=(("layer_1/",), ("layer_2/",), ("layer_3/",), ("cudnn_lstm/",), ("layer_5/",), ("layer_6/",)),
)
