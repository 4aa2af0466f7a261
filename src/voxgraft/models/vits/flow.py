"""The normalising flow between prior and posterior: mean-only coupling layers (VITS, section 2.1.2)."""

from __future__ import annotations

import torch
from torch import nn

from voxgraft.models.vits.packing import without_padding
from voxgraft.models.vits.wavenet import WaveNet


class Coupling(nn.Module):
    """Shift half of the channels by what the other half says; volume-preserving. x [B, D, T] -> [B, D, T]."""

    def __init__(
        self, channels: int, hidden_channels: int, gin_channels: int, layers: int, kernel_size: int, dilation: int
    ) -> None:
        super().__init__()
        self.pre = nn.Conv1d(channels // 2, hidden_channels, 1)
        self.enc = WaveNet(hidden_channels, kernel_size, layers, gin_channels, dilation)
        self.post = nn.Conv1d(hidden_channels, channels // 2, 1)
        nn.init.zeros_(self.post.weight)
        nn.init.zeros_(self.post.bias)

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None, *, reverse: bool = False
    ) -> torch.Tensor:
        kept, moved = x.chunk(2, dim=1)
        shift = self.post(self.enc(self.pre(kept) * mask, mask, speaker)) * mask
        moved = (moved - shift) * mask if reverse else shift + moved * mask
        return torch.cat([kept, moved], dim=1)


class CouplingFlow(nn.Module):
    """Couplings, four in the authors', the channels reversed after each: z [B, D, T] -> z_p [B, D, T], or back with `reverse`."""

    def __init__(
        self,
        channels: int,
        hidden_channels: int,
        gin_channels: int,
        couplings: int = 4,
        layers: int = 4,
        kernel_size: int = 5,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.flows = nn.ModuleList()
        for _ in range(couplings):
            # The empty module stands for the reversal, which has no parameters but counts in the names.
            coupling = Coupling(channels, hidden_channels, gin_channels, layers, kernel_size, dilation)
            self.flows.extend([coupling, nn.Identity()])

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None, *, reverse: bool = False
    ) -> torch.Tensor:
        if speaker is None:
            direction = self._backward if reverse else self._forward
            return without_padding(direction, x, mask, self.flows[0].enc.reach)
        return self._backward(x, mask, speaker) if reverse else self._forward(x, mask, speaker)

    def _forward(self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        for coupling in self.flows[::2]:
            x = coupling(x, mask, speaker).flip(1)
        return x

    def _backward(self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        for coupling in reversed(self.flows[::2]):
            x = coupling(x.flip(1), mask, speaker, reverse=True)
        return x
