"""How understood, alike and clean a voice is by the spread of its sound (`noise_scale`), on everyday sentences.

    python -m benchmarks.noise_scale VOICE.onnx ... [--scale 0.667 0.333 0.2 0]

The sentences are unlike the bundled recordings, and none of them is used in training, validation or evaluation.
Similarity is to the bundled speaker, whom the voices were trained on.
"""

from __future__ import annotations

import argparse

import numpy as np

from voxgraft.audio.read import read_audio
from voxgraft.cli.output import print_table
from voxgraft.corpus import sample
from voxgraft.evaluation.judge import Judge
from voxgraft.evaluation.metrics.dnsmos import Dnsmos
from voxgraft.inference.voice.voice import Voice

SCALES = (0.667, 0.333, 0.2, 0.0)
CLIPS_FOR_DNSMOS = 16
SENTENCES = """\
The kettle whistled while the children argued about the last biscuit.
She parked her bicycle behind the library and walked home in the rain.
Could you tell me where the nearest pharmacy is?
Our neighbour keeps three goats and a very loud rooster.
The mountain road was closed because of heavy snow.
He promised to bring the ladder back before the weekend.
Fresh bread smells better than any perfume.
A thin layer of dust covered the old piano.
They measured the width of the river with a long rope.
I would rather wait for the next train than run.
The museum opens at nine and closes at half past five.
Her grandfather built the wooden bridge with his own hands.
Turn left at the church, then follow the path to the lake.
Nobody expected the quiet boy to win the chess tournament.
The soup needs a little more salt and some black pepper.
Yesterday the temperature dropped below zero for the first time.
What a wonderful surprise to see you here!
The engineer explained how the pump lifts water uphill.
Cats often sleep on warm machines in winter.
We planted apple trees along the southern fence.
The judge listened carefully to both sides of the story.
Six yellow boats drifted slowly toward the harbor.
My cousin plays the violin in a small orchestra.
It took them an hour to fix the broken window.
The teacher wrote a short poem on the blackboard.
Please put the heavy boxes on the bottom shelf.
Bright lanterns hung above the crowded market square.
The doctor asked him to breathe in and hold it.
Few people know the shortcut through the forest.
A cold wind blew the leaves across the empty yard.
The baker sold his last loaf just before noon.
Why did you leave the kitchen light on all night?
The fisherman mended his net with blue thread.
Good maps show every village, bridge and spring.
The orange juice is in the door of the fridge.
She laughed so hard that tears ran down her cheeks.
""".splitlines()


def row(path: str, scale: float, judge: Judge, cleanness: Dnsmos) -> tuple[str, ...]:
    """A voice at one scale: CER, similarity and DNSMOS over all the sentences, always with the same seed."""
    voice = Voice.load(path, seed=0)
    clips = [np.concatenate(list(voice.speak(text, noise_scale=scale))) for text in SENTENCES]
    heard = judge.score(clips, voice.sample_rate, SENTENCES)
    dnsmos = float(np.mean([cleanness.score(clip, voice.sample_rate) for clip in clips[:CLIPS_FOR_DNSMOS]]))
    alike = f"{heard.speaker_similarity:.3f}" if heard.speaker_similarity is not None else ""
    return voice.path.stem, f"{scale:g}", f"{100 * heard.cer:.1f} %", alike, f"{dnsmos:.2f}"


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("voices", nargs="+")
    arguments.add_argument("--scale", type=float, nargs="+", default=SCALES)
    chosen = arguments.parse_args()
    held_out = set(sample.held_out_ids())
    judge = Judge([read_audio(clip.audio) for clip in sample.bundled() if clip.id not in held_out], threads=2)
    cleanness = Dnsmos()
    rows = (row(voice, scale, judge, cleanness) for voice in chosen.voices for scale in chosen.scale)
    print_table("", ("voice", "noise_scale", "CER", "similarity", "DNSMOS"), rows)


if __name__ == "__main__":
    main()
