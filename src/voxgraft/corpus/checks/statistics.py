"""What a corpus holds, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.split import text_key


def describe(manifest: Manifest) -> dict[str, Any]:
    """Clips, seconds, speakers, sample rates, lengths and characters, as plain data."""
    lengths = sorted(u.duration for u in manifest)
    characters = Counter(c for u in manifest for c in u.text.casefold() if not c.isspace())
    return {
        "clips": len(manifest),
        "seconds": round(manifest.seconds, 2),
        "speakers": dict(Counter(u.speaker for u in manifest if u.speaker is not None).most_common()),
        "sample_rates": {str(rate): count for rate, count in Counter(u.sample_rate for u in manifest).most_common()},
        "channels": {str(n): count for n, count in Counter(u.channels for u in manifest).most_common()},
        "distinct_texts": len({text_key(u.text) for u in manifest}),
        "words": sum(len(text_key(u.text).split()) for u in manifest),
        "shortest": round(lengths[0], 2) if lengths else None,
        "median": round(lengths[len(lengths) // 2], 2) if lengths else None,
        "longest": round(lengths[-1], 2) if lengths else None,
        "characters": dict(characters.most_common()),
    }
