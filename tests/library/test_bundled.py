"""The pair of bases that comes with voxgraft."""

import pytest

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.graft.vocoder import vocoder_fit
from voxgraft.library.bundled import bundled_bases, bundled_for
from voxgraft.library.resolve import known_bases, resolve


def test_they_are_small_and_say_where_they_come_from():
    assert sum(path.stat().st_size for path in bundled_bases().values()) <= 8_000_000
    for path in bundled_bases().values():
        assert open_checkpoint(path).provenance.licence == "CC0-1.0"


@pytest.mark.parametrize("task", ["acoustic", "vocoder"])
def test_auto_is_the_base_of_the_task(task):
    path = resolve("auto", RunConfig(task=task))
    assert path == bundled_for(task)
    assert family_of(open_checkpoint(path).family).task == task
    assert resolve(path.stem) == path
    assert path.stem in known_bases()


def test_a_voice_has_none():
    assert bundled_for("voice") is None


def test_the_two_fit_together():
    pair = (open_checkpoint(bundled_bases()[name]) for name in ("tiny-en-acoustic", "tiny-en-vocoder"))
    fit = vocoder_fit(*pair)
    assert (fit.refusals, fit.warnings, fit.differences) == ((), (), {})
