"""NVIDIA's .nemo archives of FastConformer-CTC: model_config.yaml and model_weights.ckpt in a tar, never unpacked.

Names: https://github.com/huggingface/transformers/tree/main/src/transformers/models/parakeet
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from voxgraft.architectures.families.fastconformer import FAMILY
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tar import Member, is_tar, tar_members
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.containers.torch.unpickle import TorchFile, read_embedded_torch_file
from voxgraft.checkpoints.formats.hugging_face.parakeet import EncoderSettings, Features, architecture, audio_spec
from voxgraft.checkpoints.formats.hugging_face.tensors import contradictions, renamed
from voxgraft.checkpoints.model_card import card_beside
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular
from voxgraft.text.symbols import SymbolTable
from voxgraft.validated import Settings, validated
from voxgraft.yaml_file import parse_yaml

FORMAT = "nemo"
_CONFIG, _WEIGHTS = "model_config.yaml", "model_weights.ckpt"
_MAX_CONFIG = 4 * 2**20
_REMEDY = "Give a FastConformer with a CTC head, such as Parakeet CTC."

_LAYER = r"encoder\.layers\.(\d+)"
RULES = (
    (r"encoder\.pre_encode\.conv\.(.+)", r"encoder.subsampling.layers.\1"),
    (r"encoder\.pre_encode\.out\.(.+)", r"encoder.subsampling.linear.\1"),
    (rf"{_LAYER}\.conv\.batch_norm\.(.+)", r"encoder.layers.\1.conv.norm.\2"),
    (rf"{_LAYER}\.self_attn\.linear_([qkv])\.(.+)", r"encoder.layers.\1.self_attn.\2_proj.\3"),
    (rf"{_LAYER}\.self_attn\.linear_out\.(.+)", r"encoder.layers.\1.self_attn.o_proj.\2"),
    (rf"{_LAYER}\.self_attn\.linear_pos\.(.+)", r"encoder.layers.\1.self_attn.relative_k_proj.\2"),
    (rf"{_LAYER}\.self_attn\.pos_bias_([uv])", r"encoder.layers.\1.self_attn.bias_\2"),
    (rf"{_LAYER}\.(.+)", r"encoder.layers.\1.\2"),
    # A hybrid has a transducer's decoder besides.
    (r"(?:ctc_)?decoder\.decoder_layers\.0\.(weight|bias)", r"ctc_head.\1"),
)
# What can be worked out again: window, filterbank, sines and cosines.
_DERIVED = ("preprocessor.", "encoder.pos_enc.")

# Settings of NeMo's encoder -> the names that they have here.
_ENCODER = {
    "feat_in": "num_mel_bins",
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "conv_kernel_size": "conv_kernel_size",
    "subsampling_factor": "subsampling_factor",
    "subsampling_conv_channels": "subsampling_conv_channels",
    "xscaling": "scale_input",
    "pos_emb_max_len": "max_position_embeddings",
}


class _Preprocessor(Settings):
    """Lengths in seconds."""

    sample_rate: int = Field(16000, ge=4000, le=192_000)
    window_size: float = Field(0.02, gt=0, le=1)
    window_stride: float = Field(0.01, gt=0, le=1)
    n_fft: int | None = Field(512, ge=16, le=2**16)
    preemph: float | None = Field(0.97, ge=0, le=1)
    normalize: Any = "per_feature"


def _as_text(value: object) -> object:
    """Digits that YAML takes for numbers."""
    return str(value) if type(value) is int else value


Piece = Annotated[str, BeforeValidator(_as_text)]
Vocabulary = Annotated[tuple[Piece, ...] | None, Field(max_length=2**20)]


class _Decoder(Settings):
    vocabulary: Vocabulary = None


class _CtcOfHybrid(Settings):
    """The head that a hybrid has beside its transducer."""

    decoder: _Decoder = _Decoder()


class _Config(Settings):
    target: str = ""
    preprocessor: _Preprocessor = _Preprocessor()
    encoder: dict[str, Any] = Field(default_factory=dict)
    decoder: _Decoder = _Decoder()
    aux_ctc: _CtcOfHybrid | None = None
    joint: _Decoder = _Decoder()
    labels: Vocabulary = None
    tokenizer: dict[str, Any] | None = None


def recognises(candidate: CheckpointSource) -> bool:
    """True for a tar archive with NeMo's two files in it."""
    if not is_tar(candidate.head):
        return False
    return {_CONFIG, _WEIGHTS} <= set(tar_members(candidate.path))


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a FastConformer under `transformers`' names. Raises CheckpointError for other models of NeMo's."""
    path = candidate.path
    members = tar_members(path)
    config = validated(_Config, parse_yaml(_bytes(candidate, members[_CONFIG]), path), path, _REMEDY)
    weights = members[_WEIGHTS]
    file = read_embedded_torch_file(path, weights.start, weights.size)
    tensors, odd = renamed(_state(file), RULES, path)
    store = TensorStore(tensors, path)
    _check_kind(candidate, store, config.target)
    stated = {ours: config.encoder[theirs] for theirs, ours in _ENCODER.items() if theirs in config.encoder}
    found = architecture(store.shapes, validated(EncoderSettings, stated, path, _REMEDY), path)
    card = card_beside(path)
    sound = config.preprocessor
    symbols = _symbols(config, found["symbols"])
    features = Features(
        sampling_rate=sound.sample_rate,
        n_fft=sound.n_fft or 512,
        win_length=max(round(sound.window_size * sound.sample_rate), 1),
        hop_length=max(round(sound.window_stride * sound.sample_rate), 1),
        preemphasis=sound.preemph,
    )
    return Checkpoint(
        family=FAMILY.name,
        architecture=found,
        tensors=store,
        provenance=Provenance(
            path, FORMAT, candidate.sha256, card.licence, card.source, unsafe_globals=file.unsafe_globals
        ),
        symbols=symbols,
        audio=audio_spec(found["num_mel_bins"], features),
        languages=card.languages,
        missing=FAMILY.missing(tensors),
        notes=(
            *(f"a naive loader would have run {call}" for call in file.unsafe_calls),
            *contradictions({name: found[name] for name in stated}, stated),
            *odd,
            *(
                []
                if symbols
                else ["its vocabulary does not fit the rows of its output: which symbols they mean isn't known"]
            ),
        ),
        config=config.model_dump(),
    )


def _bytes(candidate: CheckpointSource, member: Member) -> bytes:
    if member.size > _MAX_CONFIG:
        raise CheckpointError(
            "far too large for a configuration", file=candidate.path, field=_CONFIG, got=member.size, remedy=_REMEDY
        )
    with open_regular(candidate.path) as file:
        file.seek(member.start)
        return file.read(member.size)


def _state(file: TorchFile) -> Mapping[str, LazyTensor]:
    content = file.content if isinstance(file.content, dict) else {}
    return {
        name: LazyTensor(tensor.shape, tensor.load)
        for name, tensor in content.items()
        if isinstance(name, str) and isinstance(tensor, TorchTensor) and not name.startswith(_DERIVED)
    }


def _check_kind(candidate: CheckpointSource, store: TensorStore, target: str) -> None:
    """A FastConformer subsamples by depthwise convolutions; a CTC head is one convolution of one position."""
    first, second = (store.shapes.get(f"encoder.subsampling.layers.{i}.weight", ()) for i in (0, 2))
    if len(first) == len(second) == 4 and second[1] == 1 and "ctc_head.weight" in store:
        return
    raise CheckpointError(
        "a model of NeMo's that can't be read here",
        file=candidate.path,
        field="target",
        expected="a FastConformer with a CTC head",
        got=target[:120] or "unknown",
        remedy=_REMEDY,
    )


def _symbols(config: _Config, rows: int) -> SymbolTable | None:
    """The vocabulary in its order, then the blank: the CTC head's own, else that of the transducer beside it."""
    own = config.aux_ctc.decoder.vocabulary if config.aux_ctc is not None else None
    stated = (own, config.decoder.vocabulary, config.joint.vocabulary, config.labels)
    words = next((words for words in stated if words and len(words) == len(set(words)) == rows - 1), None)
    if words is None:
        return None
    ids = {word: (number,) for number, word in enumerate(words)} | {"<blank>": (rows - 1,)}
    return SymbolTable(
        ids=ids,
        rows=rows,
        text_kind="pieces" if config.tokenizer else "ctc",
        pad=None,
        bos=None,
        eos=None,
        intersperse=False,
        blank="<blank>",
    )
