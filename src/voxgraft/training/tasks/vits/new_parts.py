"""Learning rates of a run that has more to learn than a sound: nothing new may stay as it was drawn."""

from __future__ import annotations

from voxgraft.config.run import RunConfig
from voxgraft.graft.plan import GraftPlan
from voxgraft.models.vits import PARTS
from voxgraft.progress import notice

# What Piper and VITS train with from scratch.
FROM_SCRATCH = 2e-4


def with_rates_for(config: RunConfig, plan: GraftPlan) -> RunConfig:
    """The settings with a learning rate for each part of which something is new.

    From scratch that is every part. A rate that the settings name stays, and so do parts that they freeze.
    """
    rates = config.voice.learning_rates
    open_ = [
        p for p in (*PARTS, "discriminator") if p not in rates.model_fields_set and p not in config.training.freeze
    ]
    if plan.base_sha256 is None:
        chosen = open_
        notice(f"from scratch: all parts learn, at {FROM_SCRATCH:g}")
    else:
        learning = {
            part: rate for part in PARTS if (rate := getattr(rates, part)) and part not in config.training.freeze
        }
        said = ", ".join(f"{part} at {rate:g}" for part, rate in learning.items())
        by_size = ", each tensor by its size" if config.voice.rates_by_size else ""
        notice(f"fine-tuning: {said or 'nothing'} (from scratch {FROM_SCRATCH:g}){by_size}; the rest stays as it is")
        chosen = [part for part in open_ if part in new_parts(plan) and getattr(rates, part) == 0]
        for part in chosen:
            notice(f"{part} has something to learn that the base does not know: it learns at {FROM_SCRATCH:g}")
    if not chosen and plan.base_sha256 is not None:
        return config
    changes: dict[str, object] = {"learning_rates": rates.model_copy(update=dict.fromkeys(chosen, FROM_SCRATCH))}
    if plan.base_sha256 is None and "rates_by_size" not in config.voice.model_fields_set:
        # New weights have the size that they were drawn with, which says nothing.
        changes["rates_by_size"] = False
    return config.model_copy(update={"voice": config.voice.model_copy(update=changes)})


def new_parts(plan: GraftPlan) -> set[str]:
    """Parts of the generator with a tensor, or a symbol's row, that no base and no recovery gave."""
    parts = {row.part.removesuffix("_posterior") for row in plan.rows if row.action == "init"} & set(PARTS)
    return parts | ({"text_encoder"} if plan.symbols.new or plan.symbols.unlearned else set())
