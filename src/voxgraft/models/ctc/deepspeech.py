"""DeepSpeech (Hannun et al. 2014, https://arxiv.org/abs/1412.5567) as Coqui STT has it: dense layers over windows of
MFCCs and one LSTM, forward in time.

Letters: B utterances, T frames, C coefficients, H hidden units, S symbols, the blank the last of them.
"""

from __future__ import annotations

import torch
from torch import nn

State = tuple[torch.Tensor, torch.Tensor]


class DeepSpeech(nn.Module):
    """MFCCs to logits, a frame each.

    `symbols` counts the outputs, the blank among them. `n_context` frames on either side go in with each of `n_input`
    coefficients. `relu_clip` is the most that a hidden layer gives out.
    """

    def __init__(
        self,
        symbols: int,
        n_hidden: int = 2048,
        n_input: int = 26,
        n_context: int = 9,
        dropout: float = 0.05,
        relu_clip: float = 20.0,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.n_context = n_context
        self.relu_clip = relu_clip
        self.layer_1 = nn.Linear(n_input * (2 * n_context + 1), n_hidden)
        self.layer_2 = nn.Linear(n_hidden, n_hidden)
        self.layer_3 = nn.Linear(n_hidden, n_hidden)
        self.lstm = nn.LSTM(n_hidden, n_hidden, batch_first=True)
        self.layer_5 = nn.Linear(n_hidden, n_hidden)
        self.layer_6 = nn.Linear(n_hidden, symbols)
        self.drop = nn.Dropout(dropout)
        self.norm_1, self.norm_2, self.norm_3, self.norm_5 = (_norm(n_hidden, layer_norm) for _ in range(4))
        self._initialise()

    def forward(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Features [B, T, C] and their lengths [B] in frames -> logits [B, T, S]; past an end they mean nothing."""
        if lengths is not None:
            # Windows at the end of an utterance look at silence, whatever the batch is padded with.
            inside = torch.arange(features.shape[1], device=features.device) < lengths[:, None]
            features = features * inside[:, :, None]
        padded = nn.functional.pad(features, (0, 0, self.n_context, self.n_context))
        return self.stream(padded)[0]

    def output_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Frames of logits that so many frames of features give: as many."""
        return lengths

    def stream(self, features: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """The next piece of an utterance: features [B, n_context + T + n_context, C] with the frames on either side of
        the piece (zeros where there are none), and the state [1, B, H] twice that the piece before ended with.

        Returns the logits [B, T, S] and the state to go on with.
        """
        x = self._hidden(self._windows(features), self.layer_1, self.norm_1)
        x = self._hidden(x, self.layer_2, self.norm_2)
        x = self._hidden(x, self.layer_3, self.norm_3)
        x, state = self.lstm(x, state)
        return self.layer_6(self._hidden(x, self.layer_5, self.norm_5)), state

    @torch.no_grad()
    def start_from_scratch(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        """Begin where a small corpus teaches sooner than from Coqui STT's start; the network stays the same.

        Layer 1 takes features of this mean [C] and deviation [C], for MFCCs lie far from 0 and 1. The LSTM begins by
        remembering (forget gates open, orthogonal recurrent weights).
        """
        hidden = self.lstm.hidden_size
        for gate in self.lstm.weight_hh_l0.split(hidden):
            nn.init.orthogonal_(gate)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        self.lstm.bias_ih_l0[hidden : 2 * hidden] = 1.0
        frames = 2 * self.n_context + 1
        self.layer_1.weight.div_(deviation.repeat(frames))
        self.layer_1.bias.sub_(self.layer_1.weight @ mean.repeat(frames))

    def _windows(self, features: torch.Tensor) -> torch.Tensor:
        """[B, n_context + T + n_context, C] -> [B, T, (2 · n_context + 1) · C], the earliest frame first."""
        frames = features.shape[1] - 2 * self.n_context
        return torch.cat([features[:, k : k + frames] for k in range(2 * self.n_context + 1)], dim=2)

    def _hidden(self, x: torch.Tensor, layer: nn.Module, norm: nn.Module) -> torch.Tensor:
        return self.drop(norm(layer(x).clamp(0, self.relu_clip)))

    def _initialise(self) -> None:
        """As Coqui STT starts a network: uniform weights after Glorot, no biases; torch's own LSTM weights are the same."""
        for layer in (self.layer_1, self.layer_2, self.layer_3, self.layer_5, self.layer_6):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        # TensorFlow has one bias where torch has two; both would learn the same and so twice as fast.
        self.lstm.bias_hh_l0.requires_grad_(False)


def _norm(n_hidden: int, layer_norm: bool) -> nn.Module:
    """What follows a hidden layer; 1e-12 is what tf.contrib's layer normalisation adds to the variance."""
    return nn.LayerNorm(n_hidden, eps=1e-12) if layer_norm else nn.Identity()
