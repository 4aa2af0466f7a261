"""Each augmentation does what it claims, measured."""

import numpy as np
import pytest
import soundfile

from voxgraft.audio.augment import (
    KINDS,
    Noises,
    augment_audio,
    augment_features,
    parse_augmentation,
    parse_augmentations,
    recordings_in,
)
from voxgraft.corpus.prepare.augmentation import Augmenter
from voxgraft.errors import AudioError, ConfigError

RATE = 16000


def sine(hertz: float, seconds: float = 1.0, rate: int = RATE, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float = 1.0, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def changed(x: np.ndarray, written: str, *, rate: int = RATE, progress: float = 0.0, seed=1, noises=None) -> np.ndarray:
    return augment_audio(x, rate, parse_augmentations([written]), progress, seed, noises)


def loudest_hertz(x: np.ndarray, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    return float(np.fft.rfftfreq(len(x), 1 / rate)[spectrum.argmax()])


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def band_energy(x: np.ndarray, low: float, high: float) -> float:
    spectrum, hertz = np.abs(np.fft.rfft(x)) ** 2, np.fft.rfftfreq(len(x), 1 / RATE)
    return float(spectrum[(hertz >= low) & (hertz < high)].sum())


@pytest.mark.parametrize(("factor", "seconds"), [(2.0, 0.5), (0.5, 2.0), (1.25, 0.8), (1.0, 1.0)])
def test_tempo_changes_the_length_and_not_the_pitch(factor, seconds):
    y = changed(sine(440), f"tempo[factor={factor}]")
    assert len(y) == round(seconds * RATE)
    assert loudest_hertz(y[1000:-1000]) == pytest.approx(440, abs=6)
    assert rms(y[1000:-1000]) == pytest.approx(rms(sine(440)), rel=0.1)


def test_tempo_keeps_the_order_of_things():
    x = np.concatenate([sine(300, 0.5), sine(900, 0.5)])
    y = changed(x, "tempo[factor=2]")
    assert loudest_hertz(y[: len(y) // 2 - 500]) == pytest.approx(300, abs=8)
    assert loudest_hertz(y[len(y) // 2 + 500 :]) == pytest.approx(900, abs=8)


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
@pytest.mark.parametrize("pitch", [0.8, 1.2, 2.0])
def test_pitch_changes_the_frequency_and_not_the_length(rate, pitch):
    y = changed(sine(440, rate=rate), f"pitch[pitch={pitch}]", rate=rate)
    assert len(y) == rate
    assert loudest_hertz(y, rate) == pytest.approx(440 * pitch, rel=0.03)


def test_warp_moves_things_in_time_and_leaves_the_ends():
    clicks = np.zeros(RATE, np.float32)
    clicks[[1600, 8000, 14400]] = 1
    y = changed(clicks, "warp[nt=3,nf=0,wt=1,wf=0]", seed=3)
    assert len(y) == RATE
    energy = np.convolve(np.square(y), np.ones(400), "same")
    middle = 6000 + int(energy[6000:10000].argmax())
    assert abs(middle - 8000) > 160
    assert np.allclose(changed(clicks, "warp[nt=3,nf=1,wt=0,wf=0]"), clicks, atol=1e-3)


def test_warp_moves_things_in_frequency():
    heard = [loudest_hertz(changed(sine(2000), "warp[nt=0,nf=1,wt=0,wf=1]", seed=seed)) for seed in range(4)]
    assert max(abs(hertz - 2000) for hertz in heard) > 50
    assert len({round(hertz) for hertz in heard}) > 1


@pytest.mark.parametrize("dbfs", [3.0103, -2.9897, -40])
def test_volume_sets_the_peak(dbfs):
    y = changed(sine(440, level=0.2), f"volume[dbfs={dbfs}]")
    assert 20 * np.log10(np.abs(y).max()) == pytest.approx(dbfs - 3.0103, abs=0.01)
    assert not changed(np.zeros(100), f"volume[dbfs={dbfs}]").any()


def test_resample_cuts_what_is_over_half_the_rate():
    x = noise()
    y = changed(x, "resample[rate=8000]")
    assert len(y) == len(x)
    assert band_energy(y, 4200, 8000) < 1e-3 * band_energy(x, 4200, 8000)
    assert band_energy(y, 100, 3500) == pytest.approx(band_energy(x, 100, 3500), rel=0.02)


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_codec_loses_more_at_lower_bit_rates_and_keeps_the_length(rate):
    x = sine(300, rate=rate) + 0.2 * sine(1700, rate=rate)
    errors = [rms(changed(x, f"codec[bitrate={bits}]", rate=rate) - x) for bits in (6000, 128_000)]
    assert len(changed(x, "codec", rate=rate)) == len(x)
    assert errors[1] < 0.5 * errors[0]
    assert errors[0] > 1e-3


def test_reverb_rings_after_the_sound_and_decays():
    x = np.zeros(RATE, np.float32)
    x[1000] = 0.8
    y = changed(x, "reverb[delay=20,decay=6]")
    assert np.abs(y).max() == pytest.approx(0.8, rel=1e-4)
    echo = y[1000 + 320]
    assert echo > 0.05
    assert y[1000 + 640] == pytest.approx(echo * 10 ** (-6 / 20), rel=1e-3)
    assert not y[:1000].any()
    assert not y[1001 : 1000 + 320].any()


@pytest.fixture
def noises(tmp_path) -> Noises:
    soundfile.write(tmp_path / "a.wav", sine(3000, 0.3), RATE)
    soundfile.write(tmp_path / "b.flac", sine(3000, 0.4, 8000), 8000)
    return Noises({"street": recordings_in(str(tmp_path))})


@pytest.mark.parametrize("snr", [0, 10, 30])
def test_overlay_has_its_signal_to_noise_ratio(noises, snr):
    x = sine(300, 2.0)
    y = changed(x, f"overlay[source=street,snr={snr}]", noises=noises)
    speech, under = band_energy(y, 200, 400), band_energy(y, 2900, 3100)
    assert 10 * np.log10(speech / under) == pytest.approx(snr, abs=0.6)
    assert np.abs(y).max() == pytest.approx(np.abs(x).max(), rel=1e-4)


def test_overlay_without_layers_changes_nothing(noises):
    assert np.array_equal(changed(sine(300), "overlay[source=street,layers=0]", noises=noises), sine(300))


def test_frequency_masks_have_their_size():
    x = noise(2.0)
    y = changed(x, "frequency_mask[n=1,size=32]", seed=5)
    bands = np.array(
        [band_energy(y, low, low + 31.25) / band_energy(x, low, low + 31.25) for low in np.arange(0, 8000, 31.25)]
    )
    assert (bands < 0.05).sum() == pytest.approx(32, abs=2)
    assert np.median(bands[bands > 0.5]) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("domain", ["signal", "spectrogram"])
def test_time_masks_have_their_size(domain):
    x = sine(440, 2.0)
    y = changed(x, f"time_mask[domain={domain},n=1,size=200]", seed=2)
    silent = np.convolve(np.abs(y), np.ones(80) / 80, "same") < 0.02
    assert silent.sum() / RATE == pytest.approx(0.2, abs=0.03)
    assert len(y) == len(x)


@pytest.mark.parametrize("domain", ["signal", "features"])
def test_time_masks_and_dropout_hit_their_share_of_points(domain):
    points = np.ones((1000, 26), np.float32) if domain == "features" else np.ones(32_000, np.float32)

    def apply(written: str) -> np.ndarray:
        augmentations = parse_augmentations([written])
        if domain == "signal":
            return augment_audio(points, RATE, augmentations, 0, 1)
        return augment_features(points, 0.02, augmentations, 0, 1)

    masked = apply(f"time_mask[domain={domain},n=1,size=200]")
    assert (masked == 0).mean() == pytest.approx(0.2 / (20 if domain == "features" else 2), rel=1e-3)
    dropped = apply(f"dropout[domain={domain},rate=0.25]")
    assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert set(np.unique(dropped)) == {0, 1}


def test_dropout_of_the_spectrogram_takes_its_share_of_energy():
    x = noise(3.0)
    assert rms(changed(x, "dropout[rate=0.5]")) < 0.9 * rms(x)
    assert np.allclose(changed(x, "dropout[rate=0]"), x, atol=1e-6)


def test_add_and_multiply_have_their_deviation():
    features = np.full((2000, 26), 4.0, np.float32)
    for written, deviation in (("add[stddev=0.5]", 0.5), ("multiply[stddev=0.5]", 2.0)):
        y = augment_features(features, 0.02, parse_augmentations([written]), 0, 1)
        assert y.std() == pytest.approx(deviation, rel=0.02)
        assert y.mean() == pytest.approx(4.0, abs=0.05)
    y = changed(np.zeros(32_000), "add[domain=signal,stddev=0.01]")
    assert y.std() == pytest.approx(0.01, rel=0.03)


NEEDED = {"overlay": ",source=street", "add": ",stddev=1", "multiply": ",stddev=0.2"}
EVERYTHING = [f"{name}[p=0.7{NEEDED.get(name, '')}]" for name in KINDS]


def test_the_same_seed_gives_the_same_sound_and_another_one_another(noises):
    augmentations = parse_augmentations(EVERYTHING)
    x = sine(300)
    runs = [augment_audio(x, RATE, augmentations, 0.5, (7, epoch, 3), noises) for epoch in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert runs[0].shape != runs[2].shape or not np.allclose(runs[0], runs[2])


def test_an_augmentation_s_draws_do_not_depend_on_what_follows_it():
    alone = changed(noise(), "time_mask[domain=signal]", seed=4)
    with_another = augment_audio(noise(), RATE, parse_augmentations(["time_mask[domain=signal]", "volume[p=0]"]), 0, 4)
    assert np.array_equal(alone, with_another)


@pytest.mark.parametrize(("p", "share"), [(0, 0), (1, 1), (0.3, 0.3)])
def test_probability(p, share):
    hits = [changed(np.ones(4), f"volume[p={p},dbfs=-20]", seed=(1, clip))[0] != 1 for clip in range(300)]
    assert np.mean(hits) == pytest.approx(share, abs=0.08)


def test_values_follow_the_training():
    peaks = [np.abs(changed(sine(300), "volume[dbfs=3.0103:-36.9897]", progress=done)).max() for done in (0, 0.5, 1)]
    assert peaks == pytest.approx([1, 0.1, 0.01], rel=0.01)


@pytest.mark.parametrize("samples", [0, 1, 2, 100, 511, 513, 5000])
@pytest.mark.parametrize("silent", [False, True])
def test_any_length_stays_finite(noises, samples, silent):
    x = np.zeros(samples, np.float32) if silent else noise()[:samples]
    for name in EVERYTHING:
        y = changed(x, name.replace("p=0.7", "p=1"), noises=noises)
        assert y.dtype == np.float32
        assert y.ndim == 1
        assert np.isfinite(y).all()
        assert bool(len(y)) == bool(samples)


def test_the_way_there_and_back_changes_nothing():
    for rate in (8000, 16000, 22050):
        x = noise()
        assert np.allclose(changed(x, "frequency_mask[n=0]", rate=rate), x, atol=1e-6)


def test_features_of_no_frames():
    assert augment_features(np.zeros((0, 4)), 0.02, [parse_augmentation("dropout[domain=features]")], 0, 1).shape == (
        0,
        4,
    )


def test_the_augmenter_of_a_training(tmp_path):
    soundfile.write(tmp_path / "n.wav", noise(0.5), RATE)
    (tmp_path / "noise.csv").write_text("wav_filename,transcript\nn.wav,crowd\n")
    augmenter = Augmenter([f"overlay[source={tmp_path}/noise.csv,snr=5]", "add[stddev=1]"], RATE)
    assert augmenter
    assert augmenter.changes_sound
    x = sine(300)
    assert not np.allclose(augmenter.sound(x, np.random.default_rng(1), 0.0), x)
    assert augmenter.features(np.zeros((50, 4)), 0.02, 1, 0.0).std() == pytest.approx(1, abs=0.2)
    assert not Augmenter([], RATE)
    assert not Augmenter(["add[stddev=1]"], RATE).changes_sound


def test_sources_of_overlay_are_looked_for_before_training(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        Augmenter([f"overlay[source={tmp_path}/gone]"], RATE)
    with pytest.raises(ConfigError, match="holds no recordings"):
        Augmenter([f"overlay[source={tmp_path}]"], RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), RATE)
    silent = Augmenter([f"overlay[source={tmp_path}]"], RATE)
    with pytest.raises(AudioError, match="is silent"):
        silent.sound(sine(300), 1, 0.0)
