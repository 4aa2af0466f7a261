"""SpectrogramConfig: the spectrogram between two models that are trained from scratch."""

from __future__ import annotations

from pydantic import Field, model_validator

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.section import Section, contradiction


class SpectrogramConfig(Section):
    """The mel spectrogram of HiFi-GAN (Kong et al. 2020) by default; acoustic model and vocoder need the same."""

    sample_rate: int = Field(22050, ge=8000, le=48000, description="Samples a second.")
    n_fft: int = Field(1024, ge=64, le=8192, description="Points of the Fourier transform.")
    hop: int = Field(256, ge=16, le=4096, description="Samples from one frame to the next.")
    win: int = Field(1024, ge=32, le=8192, description="Samples that a frame sees.")
    n_mels: int = Field(80, ge=8, le=256, description="Mel bands.")
    fmin: float = Field(0.0, ge=0, description="Lowest frequency in Hz.")
    fmax: float | None = Field(8000.0, gt=0, description="Highest frequency in Hz; null is half the sample rate.")
    centre: bool = Field(False, description="Frames are centred on their samples, as EveryVoice has it.")

    @model_validator(mode="after")
    def _is_possible(self) -> SpectrogramConfig:
        if self.win > self.n_fft:
            raise contradiction("win", "the window is longer than the transform", "Set n_fft to at least win.")
        if self.fmin >= (self.fmax or self.sample_rate / 2):
            raise contradiction("fmin", "no frequency is left between fmin and fmax", "Set fmax higher than fmin.")
        if self.fmax is not None and self.fmax > self.sample_rate / 2:
            raise contradiction("fmax", "is above half the sample rate", "Set fmax to null, or the sample rate higher.")
        return self

    def spec(self) -> AudioSpec:
        """What these settings mean."""
        return AudioSpec(magnitude_floor=1e-9, **self.model_dump())
