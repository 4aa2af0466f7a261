"""Flows and posterior encoders of other sizes than the authors' are read, built, spoken and exported as they are."""

import numpy as np
import pytest

from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.presets import quality_of

torch = pytest.importorskip("torch")

from tests.export.piper.tiny_voice import TINY, tiny_metadata, tiny_vits  # noqa: E402

from voxgraft.errors import ExportError  # noqa: E402
from voxgraft.export.piper.load import load_vits  # noqa: E402
from voxgraft.export.piper.to_trainer import export_trainer  # noqa: E402
from voxgraft.export.piper.trainer_checkpoint import write_slim_checkpoint  # noqa: E402
from voxgraft.export.piper.voice import export_piper  # noqa: E402

OTHER = {
    "flows": 3, "flow_layers": 3, "flow_kernel": 3, "flow_dilation": 2,
    "posterior_layers": 5, "posterior_kernel": 7, "posterior_dilation": 2,
}  # fmt: skip


def said(model):
    ids = torch.tensor([[1, 0, 20, 0, 30, 0, 25, 0, 2]])
    with torch.no_grad():
        return model.eval().infer(ids, torch.tensor([9]), noise_scale=0.0, noise_w=0.0).numpy()


def test_a_checkpoint_with_other_wavenets(tmp_path):
    model = tiny_vits(**OTHER)
    path = tmp_path / "x.ckpt"
    write_slim_checkpoint(path, model.state_dict(), tiny_metadata(), TINY | OTHER, epoch=0, step=1)
    checkpoint = open_checkpoint(path)
    assert {name: checkpoint.architecture[name] for name in OTHER} == OTHER
    loaded = load_vits(checkpoint)
    # bfloat16 keeps eight bits.
    assert np.abs(said(loaded.model) - said(model)).max() < 0.05 * np.abs(said(model)).max()
    with pytest.raises(ExportError, match="can't build this network"):
        export_trainer(loaded, tiny_metadata(), checkpoint.architecture, tmp_path, checkpoint)


def test_an_exported_voice_with_another_flow(tmp_path):
    model = tiny_vits(**OTHER)
    checkpoint = open_checkpoint(export_piper(model, tiny_metadata(), tmp_path))
    found = {name: checkpoint.architecture.get(name) for name in OTHER if name != "flows"}
    assert found == {name: OTHER[name] if name.startswith("flow") else None for name in found}
    np.testing.assert_allclose(said(load_vits(checkpoint).model), said(model), atol=1e-5)


def test_a_network_with_another_flow_is_of_no_preset():
    from voxgraft.config.presets import preset

    medium = preset("medium")
    rate = medium.pop("sample_rate")
    assert quality_of(medium, rate) == "medium"
    assert quality_of(medium | {"flow_layers": 3}, rate) is None
