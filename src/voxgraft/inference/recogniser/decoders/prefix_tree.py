"""PrefixTree: every label sequence that a beam search still knows, as arrays; a node is a sequence, its parent one label
shorter. Equal sequences are one node, so that what belongs to a sequence is found out once."""

from __future__ import annotations

import numpy as np

_ROOT = 0


class PrefixTree:
    """`parent`, `label` and `bonus` of each node, and its state in each automaton (`states` [automata, nodes]).

    `slot` is the node's place among the live beams, -1 for none. `bonus` is what is added to the sequence's logarithmic
    probability. Node 0 is the sequence that all live beams begin with; `committed` are its labels.
    """

    def __init__(self, labels: int, root_label: int, starts: list[int], size: int = 4096) -> None:
        self._labels = labels
        self._children: dict[int, int] = {}
        self.committed: list[int] = []
        self.count = 1
        self.parent = np.zeros(size, np.int32)
        self.label = np.full(size, root_label, np.int32)
        self.slot = np.full(size, -1, np.int32)
        self.bonus = np.zeros(size)
        self.states = np.zeros((len(starts), size), np.int32)
        self.states[:, _ROOT] = starts
        self.parent[_ROOT] = -1

    def children(self, parents: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nodes [N] that go on from `parents` [N] with `labels` [N], and which of them are new: bool [N]."""
        first_new, known = self.count, self._children
        nodes = [
            known[key] if key in known else self._added(key)
            for key in (parents.astype(np.int64) * self._labels + labels).tolist()
        ]
        numbers = np.array(nodes, np.int64)
        new = numbers >= first_new
        if self.count > len(self.parent):
            self._grow()
        self.parent[numbers], self.label[numbers] = parents, labels
        self.slot[numbers[new]] = -1
        return numbers, new

    def _added(self, key: int) -> int:
        self._children[key] = node = self.count
        self.count += 1
        return node

    def sequence(self, node: int) -> list[int]:
        """The labels from the root to a node, without those committed."""
        labels: list[int] = []
        while node != _ROOT:
            labels.append(int(self.label[node]))
            node = int(self.parent[node])
        return labels[::-1]

    def common_ancestor(self, nodes: np.ndarray) -> int:
        """The longest sequence that all `nodes` begin with: a parent always has a smaller number than its child."""
        live = {int(node) for node in nodes}
        while len(live) > 1:
            deepest = max(live)
            live.remove(deepest)
            live.add(int(self.parent[deepest]))
        return live.pop()

    def compact(self, nodes: np.ndarray) -> np.ndarray:
        """Commit what all `nodes` begin with and forget what none of them does; their new numbers."""
        root = self.common_ancestor(nodes)
        self.committed += self.sequence(root)
        kept = np.zeros(self.count, bool)
        kept[[_ROOT, root]] = True
        walking = np.unique(nodes)
        while len(walking := walking[~kept[walking]]):
            kept[walking] = True
            walking = np.unique(self.parent[walking])
        kept[:root] = False
        old = np.flatnonzero(kept)
        number = np.full(self.count, -1, np.int32)
        number[old] = np.arange(len(old))
        for values in self._plain():
            values[: len(old)] = values[old]
        self.states[:, : len(old)] = self.states[:, old]
        self.parent[: len(old)] = np.where(old == root, -1, number[self.parent[old]])
        self.slot[len(old) : self.count] = -1
        self.count = len(old)
        keys = self.parent[1 : self.count].astype(np.int64) * self._labels + self.label[1 : self.count]
        self._children = dict(zip(keys.tolist(), range(1, self.count), strict=True))
        return number[nodes]

    def _grow(self) -> None:
        more = max(self.count, 2 * len(self.parent)) - len(self.parent)
        self.parent = np.pad(self.parent, (0, more))
        self.label, self.slot, self.bonus = (np.pad(values, (0, more)) for values in self._plain())
        self.states = np.pad(self.states, ((0, 0), (0, more)))

    def _plain(self) -> tuple[np.ndarray, ...]:
        return self.label, self.slot, self.bonus
