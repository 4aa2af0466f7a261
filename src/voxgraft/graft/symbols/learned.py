"""Which symbols of its table a base has really learned.

Every Piper voice has a row for every sign of the IPA, yet a voice of one language has met a third of them. AdamW's decay
shrinks the rows that no text ever uses, all alike; the rows beyond the table, which no text can use, show how far.
"""

from __future__ import annotations

import numpy as np

from voxgraft.architectures.families import Family
from voxgraft.checkpoints.checkpoint import Checkpoint

# Rows beyond the table that it takes to know what an unused row looks like.
FEWEST_SPARE = 16
# Standard deviations from the spare rows' norm up to which a row counts as unused: between the 2.8 of the farthest unused
# row and the 7 of the nearest used one in en_US-joe-medium.
SAME_AS_SPARE = 4.5
# With fewer symbols that stand out there is nothing to tell by.
FEWEST_LEARNED = 8


def unlearned_symbols(checkpoint: Checkpoint, family: Family) -> frozenset[str]:
    """Symbols whose rows look like those that nothing was ever trained on; empty where that can't be told."""
    table = checkpoint.symbols
    name = next((n for n in family.symbol_axis if len(checkpoint.shapes.get(n, ())) == 2), None)
    if table is None or name is None:
        return frozenset()
    used = {row for ids in table.ids.values() for row in ids}
    rows = np.moveaxis(np.asarray(checkpoint.tensors[name], dtype=np.float64), family.symbol_axis[name], 0)
    norms = np.linalg.norm(rows, axis=1)
    spare = norms[[row for row in range(len(rows)) if row not in used]]
    if len(spare) < FEWEST_SPARE or not np.isfinite(norms).all() or len(rows) < table.rows:
        return frozenset()
    limit = float(spare.mean() + SAME_AS_SPARE * spare.std())
    learned = {symbol for symbol, ids in table.ids.items() if max(norms[list(ids)]) > limit}
    return frozenset(set(table.ids) - learned) if len(learned) >= FEWEST_LEARNED else frozenset()
