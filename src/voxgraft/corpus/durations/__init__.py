"""How long each symbol of a text lasts in its recording, from a file of labels, from EveryVoice or from a recogniser."""

from voxgraft.corpus.durations.source import DurationSource, durations_of, open_durations, symbols_of_ids

__all__ = ["DurationSource", "durations_of", "open_durations", "symbols_of_ids"]
