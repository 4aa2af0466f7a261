"""The generator's pass over windows of clips: what VITS trains on, at a fraction of the frames.

A posterior and a flow see a limited stretch of sound, so a window around the decoded segment gives the frames in its
middle what the whole clip would. Only the alignment needs whole clips; it changes slowly and is kept (alignments.py).

Letters: B clips, N symbols, W window frames, D latent channels, S segment frames.
"""

from __future__ import annotations

import torch

from voxgraft.models.vits import TextEncoding, Vits, VitsOutput
from voxgraft.models.vits.masks import segments, sequence_mask
from voxgraft.training.tasks.vits.batches import Batch


def window_pass(
    model: Vits,
    batch: Batch,
    text: TextEncoding,
    durations: torch.Tensor | None,
    segment: int,
    *,
    spread: float,
    from_text: bool,
) -> tuple[VitsOutput, torch.Tensor | None]:
    """Decode a segment of each clip from its posterior and, `from_text`, from its prior too, as the voice will speak.

    text encodes batch.ids; durations [B, N] in frames of the whole clip; None aligns the window itself, which must be the whole clip then.
    The decoder hears latents drawn with `spread` of their deviation, from the posterior and from text; 1 is VITS's own loss.
    Returns the pass and the audio from text [B, 1, S * hop] or None. The pass's mask weighs every clip the same,
    whatever its length, so that parts of a batch, averaged, are the batch.
    """
    g = model.embed_speaker(batch.speaker)
    mask = sequence_mask(batch.window_lengths, batch.spectrogram.shape[-1])
    m_q, logs_q = model.enc_q(batch.spectrogram, mask, g)
    deviation = batch.noise * torch.exp(logs_q)
    z = (m_q + deviation) * mask
    z_p = model.flow(z, mask, g)
    if durations is None:
        durations = model.align(text, z_p, mask).sum(2)
    m_p, logs_p = lay_out(text, durations, batch.begins, mask)
    latents = [segments((m_q + spread * deviation) * mask, batch.offsets, segment)]
    if from_text:
        drawn = (m_p + spread * batch.prior_noise * torch.exp(logs_p)) * mask
        latents.append(segments(model.flow(drawn, mask, g, reverse=True), batch.offsets, segment))
    speakers = None if g is None else g.repeat(len(latents), 1, 1)
    audio = model.decode(torch.cat(latents), speakers).float()
    trains_durations = any(parameter.requires_grad for parameter in model.dp.parameters())
    pass_ = VitsOutput(
        audio=audio[: len(batch)],
        starts=batch.offsets,
        path=mask.new_empty(0),
        durations=durations,
        z=z,
        z_p=z_p,
        m_p=m_p,
        logs_p=logs_p,
        m_q=m_q,
        logs_q=logs_q,
        text_mask=text.mask,
        mask=batch.certain / batch.certain.sum(2, keepdim=True),
        duration_loss=model.duration_loss(text, durations, g) if trains_durations else mask.new_zeros(()),
    )
    return pass_, audio[len(batch) :] if from_text else None


def lay_out(
    text: TextEncoding, durations: torch.Tensor, begins: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The prior of each frame of a window: durations [B, N], begins [B], mask [B, 1, W] -> m_p and logs_p [B, D, W]."""
    frames = begins[:, None] + torch.arange(mask.shape[-1], device=mask.device)
    ends = durations.cumsum(1).contiguous()
    last = text.mask.sum((1, 2)).long()[:, None] - 1
    symbol = torch.searchsorted(ends, frames.to(ends.dtype), right=True).minimum(last)
    index = symbol.unsqueeze(1).expand(-1, text.m_p.shape[1], -1)
    return text.m_p.gather(2, index) * mask, text.logs_p.gather(2, index) * mask
