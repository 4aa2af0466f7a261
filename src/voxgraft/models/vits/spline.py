"""Monotonic rational-quadratic splines (Durkan et al. 2019, "Neural Spline Flows", section 3.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F

SMALLEST_BIN = 1e-3
SMALLEST_SLOPE = 1e-3


def rational_quadratic_spline(
    x: torch.Tensor, parameters: torch.Tensor, *, bins: int, bound: float, reverse: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Map [-bound, bound] onto itself, bin by bin; the identity outside.

    x [...], parameters [..., 3 * bins - 1] (unnormalised widths, heights, inner slopes) -> y [...], log |dy/dx| [...].
    """
    widths, heights, slopes = parameters.split([bins, bins, bins - 1], dim=-1)
    x_edges, y_edges = _edges(widths, bound), _edges(heights, bound)
    slopes = SMALLEST_SLOPE + F.softplus(slopes)
    slopes = F.pad(slopes, (1, 1), value=1.0)
    inside = (x >= -bound) & (x <= bound)
    safe = x.clamp(-bound, bound)
    edges = y_edges if reverse else x_edges
    index = (safe.unsqueeze(-1) >= edges[..., 1:-1]).sum(-1, keepdim=True)

    def pick(values: torch.Tensor, offset: int = 0) -> torch.Tensor:
        return values.gather(-1, index + offset).squeeze(-1)

    left, bottom = pick(x_edges), pick(y_edges)
    width, height = pick(x_edges, 1) - left, pick(y_edges, 1) - bottom
    slope_left, slope_right = pick(slopes), pick(slopes, 1)
    arguments = (left, width, bottom, height, slope_left, slope_right)
    y, log_slope = _bin_inverse(safe, *arguments) if reverse else _bin_forward(safe, *arguments)
    return torch.where(inside, y, x), torch.where(inside, log_slope, torch.zeros_like(log_slope))


def _edges(unnormalised: torch.Tensor, bound: float) -> torch.Tensor:
    """Bin edges from -bound to bound: [..., bins] -> [..., bins + 1]."""
    bins = unnormalised.shape[-1]
    shares = SMALLEST_BIN + (1 - SMALLEST_BIN * bins) * unnormalised.softmax(-1)
    inner = 2 * bound * shares.cumsum(-1)[..., :-1] - bound
    return F.pad(F.pad(inner, (1, 0), value=-bound), (0, 1), value=bound)


def _bin_forward(
    x: torch.Tensor,
    left: torch.Tensor,
    width: torch.Tensor,
    bottom: torch.Tensor,
    height: torch.Tensor,
    slope_left: torch.Tensor,
    slope_right: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Equation 4 and its derivative, equation 5."""
    mean_slope = height / width
    theta = (x - left) / width
    both = theta * (1 - theta)
    bend = slope_left + slope_right - 2 * mean_slope
    denominator = mean_slope + bend * both
    y = bottom + height * (mean_slope * theta.square() + slope_left * both) / denominator
    return y, _log_slope(theta, mean_slope, slope_left, slope_right, both, denominator)


def _bin_inverse(
    y: torch.Tensor,
    left: torch.Tensor,
    width: torch.Tensor,
    bottom: torch.Tensor,
    height: torch.Tensor,
    slope_left: torch.Tensor,
    slope_right: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The root of the quadratic, equations 6 to 8, in its numerically stable form."""
    mean_slope = height / width
    bend = slope_left + slope_right - 2 * mean_slope
    above = y - bottom
    a = above * bend + height * (mean_slope - slope_left)
    b = height * slope_left - above * bend
    c = -mean_slope * above
    root = torch.sqrt((b.square() - 4 * a * c).clamp(min=0))
    theta = 2 * c / (-b - root)
    both = theta * (1 - theta)
    denominator = mean_slope + bend * both
    return left + theta * width, -_log_slope(theta, mean_slope, slope_left, slope_right, both, denominator)


def _log_slope(
    theta: torch.Tensor,
    mean_slope: torch.Tensor,
    slope_left: torch.Tensor,
    slope_right: torch.Tensor,
    both: torch.Tensor,
    denominator: torch.Tensor,
) -> torch.Tensor:
    numerator = slope_right * theta.square() + 2 * mean_slope * both + slope_left * (1 - theta).square()
    return 2 * mean_slope.log() + numerator.log() - 2 * denominator.log()
