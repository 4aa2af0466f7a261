"""Fine-tune a published Piper voice on your own recordings: fine_tune_voice.yaml in Python, on the public API.

    python fine_tune_voice.py [training.steps=500 ...]

Copy it, change what you like. It looks at the plan before it trains, which the command line does not wait for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from voxgraft import RunConfig, Voice, VoxgraftError, plan_project, train, with_overrides

PROJECT = RunConfig(
    name="my-voice",
    base="en_US-joe-medium",
    corpus={"path": "recordings"},
    training={"steps": 1000},
    voice={"learning_rates": {"decoder": 2e-4, "flow": 2e-4}},
)


def main(overrides: Sequence[str]) -> None:
    """Plan, train and speak a sentence with the best voice."""
    config = with_overrides(PROJECT, overrides)
    plan = plan_project(config).plan
    print(f"{plan.parameters_carried:.0%} of what speaks comes from the base; {plan.counts}")
    result = train(config)
    print(f"{result.step} steps in {result.folder}")
    if result.voice is not None:
        voice = Voice.load(result.voice)
        samples = sum(len(sentence) for sentence in voice.speak("This is how I sound now."))
        print(f"{result.voice} speaks: {samples / voice.sample_rate:.1f} seconds")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except VoxgraftError as fault:
        sys.exit(f"error: {fault.summary}\n  {fault.remedy}")
