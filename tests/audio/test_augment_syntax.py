"""Coqui STT's way to write augmentations, and everything that is not that."""

import numpy as np
import pytest

from voxgraft.audio.augment import KINDS, Schedule, parse_augmentation, parse_augmentations
from voxgraft.errors import ConfigError

# The example of Coqui STT's documentation that uses them all.
DOCUMENTED = [
    "overlay[p=0.5,source=noise.sdb,layers=1,snr=50:20~10]",
    "reverb[p=0.1,delay=50.0~30.0,decay=10.0:2.0~1.0]",
    "resample[p=0.1,rate=12000:8000~4000]",
    "codec[p=0.1,bitrate=48000:16000]",
    "volume[p=0.1,dbfs=-10:-40]",
    "pitch[p=0.1,pitch=1~0.2]",
    "tempo[p=0.1,factor=1~0.5]",
    "warp[p=0.1,nt=4,nf=1,wt=0.5:1.0,wf=0.1:0.2]",
    "frequency_mask[p=0.1,n=1:3,size=1:5]",
    "time_mask[p=0.1,domain=signal,n=3:10~2,size=50:100~40]",
    "dropout[p=0.1,rate=0.05]",
    "add[p=0.1,domain=signal,stddev=0~0.5]",
    "multiply[p=0.1,domain=features,stddev=0~0.5]",
]


def test_the_documented_example_is_read():
    read = parse_augmentations(DOCUMENTED)
    assert [a.name for a in read] == [written.partition("[")[0] for written in DOCUMENTED]
    assert {a.name for a in read} == set(KINDS)
    overlay, time_mask = read[0], read[9]
    assert (overlay.p, overlay.domain, overlay.texts["source"]) == (0.5, "sample", "noise.sdb")
    snr = overlay.numbers["snr"]
    assert (snr.start, snr.end, snr.radius, snr.whole) == (50, 20, 10, False)
    assert (time_mask.domain, time_mask.numbers["n"].whole) == ("signal", True)


@pytest.mark.parametrize("written", ["tempo", "tempo[]", " tempo[ p = 1 ] "])
def test_what_is_left_out_has_its_default(written):
    tempo = parse_augmentation(written)
    assert (tempo.p, tempo.domain, tempo.numbers["factor"].pick(0.5, np.random.default_rng(0))) == (
        1.0,
        "spectrogram",
        1.1,
    )


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("pich[p=0.1]", ["did you mean `pitch`", "overlay, codec, reverb"]),
        ("Pitch", ["did you mean `pitch`"]),
        ("", ["expected overlay, codec"]),
        ("tempo[factr=2]", ["did you mean `factor`", "expected p, factor"]),
        ("tempo[pitch=2]", ["expected p, factor"]),
        ("tempo[domain=signal]", ["expected p, factor"]),
        ("time_mask[domain=spectogram]", ["did you mean `spectrogram`"]),
        ("tempo[factor=fast]", ["is no number", "got fast"]),
        ("tempo[factor=nan]", ["is no number"]),
        ("tempo[factor=1e400]", ["is no number"]),
        ("tempo[factor=]", ["no key=value"]),
        ("tempo[factor]", ["no key=value"]),
        ("tempo[factor=1,,p=1]", ["no key=value"]),
        ("tempo[factor=1:2:3]", ["more than two ends"]),
        ("tempo[factor=4-6~2]", ["is no number"]),
        ("tempo[factor=1~-1]", ["radius of factor is negative"]),
        ("tempo[factor=0]", ["out of range", "0.25 to 4"]),
        ("tempo[factor=1,factor=2]", ["names factor twice"]),
        ("tempo[p=1.5]", ["0 to 1"]),
        ("tempo[p=often]", ["p is no number"]),
        ("tempo[factor=2", ["is no augmentation"]),
        ("tempo]factor=2[", ["is no augmentation"]),
        ("warp[nt=1.5]", ["a whole number"]),
        ("codec[bitrate=3200]", ["6000 to 256000"]),
        ("overlay[snr=3]", ["source is missing"]),
        ("add", ["stddev is missing"]),
        ("volume[dbfs=20]", ["-120 to 3.0103"]),
        ("tempo[" + "x" * 100_000 + "]", ["is no augmentation"]),
        ("tempo[factor=1\n]\n; rm -rf", ["is no augmentation"]),
    ],
)
def test_mistakes_are_one_clear_error(written, names):
    with pytest.raises(ConfigError) as caught:
        parse_augmentation(written)
    told = f"{caught.value.summary} {caught.value.remedy}"
    assert all(name in told for name in names), told
    assert len(told) < 800
    assert "\n" not in caught.value.summary


def test_schedules_move_with_the_training_and_keep_to_their_bounds():
    random = np.random.default_rng(0)
    moving = Schedule(10, 20)
    assert [moving.pick(progress, random) for progress in (0, 0.5, 1, 7)] == [10, 15, 20, 20]
    around = [Schedule(1, 1, radius=0.5).pick(0, random) for _ in range(200)]
    assert 0.5 <= min(around) < 0.6
    assert 1.4 < max(around) <= 1.5
    whole = {Schedule(3, 3, radius=2, whole=True, low=2, high=4).pick(0, random) for _ in range(200)}
    assert whole == {2.0, 3.0, 4.0}
