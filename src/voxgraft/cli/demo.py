"""`voxgraft demo`: everything once, on real material, in about a quarter of an hour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voxgraft.cli.output import print_json


def demo(
    folder: Annotated[Path, typer.Argument(help="Where everything goes; a demo that was stopped goes on.")] = Path(
        "demo"
    ),
    two_stage: Annotated[
        bool, typer.Option("--two-stage", help="A text-to-spec model and a vocoder, matched to each other.")
    ] = False,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Minutes of training proper; 10 by default.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random draw.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Graft a published voice onto five minutes of another speaker, measure both, and write a page to listen to."""
    if two_stage:
        _two_stage(folder, minutes, seed, json)
        return
    from voxgraft.demo.voice import TRAINING_MINUTES, run_demo

    result = run_demo(folder, minutes=minutes or TRAINING_MINUTES, seed=seed)
    if json:
        print_json(result.to_dict())
        return
    if result.comparison is None:
        print(f"stopped at step {result.run.step}; `voxgraft demo {folder}` goes on from there")
        return
    from voxgraft.cli.evaluate import print_comparison

    print_comparison(result.comparison)
    print(f"\n{result.seconds / 60:.1f} minutes. Listen and compare: {result.report}")
    print(f"Spoken by the new voice: {result.sample}")
    print(f'Next: voxgraft say {result.run.voice} "Your own words." -o words.wav')


def _two_stage(folder: Path, minutes: float | None, seed: int, json: bool) -> None:
    """`minutes` is what both models take together."""
    from voxgraft.demo.two_stage import MATCHING_MINUTES, TRAINING_MINUTES, run_two_stage

    scale = 1.0 if minutes is None else minutes / (TRAINING_MINUTES + MATCHING_MINUTES)
    result = run_two_stage(
        folder, minutes=scale * TRAINING_MINUTES, matching_minutes=scale * MATCHING_MINUTES, seed=seed
    )
    if json:
        print_json(result.to_dict())
        return
    if result.comparison is None or result.matched is None:
        print(f"stopped; `voxgraft demo --two-stage {folder}` goes on from there")
        return
    from voxgraft.cli.evaluate import print_comparison
    from voxgraft.cli.match import show_matched

    show_matched(result.matched)
    print_comparison(result.comparison)
    print(f"\n{result.seconds / 60:.1f} minutes. Listen and compare: {result.report}")
    print(f"Spoken by the new voice: {result.sample}")
    print(f'Next: voxgraft say {result.voice} "Your own words." -o words.wav')
