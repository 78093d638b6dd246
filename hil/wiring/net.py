"""A board's wiring as a circuit: who drives a node, what pulls it, and what level that makes.

A node is a line's name at the board ("board", name) or at the rig ("rig", name). Where two drive
one node, the low one wins; where nobody does, the board's resistor beats the rig's weak pull.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Node = tuple[str, str]


@dataclass
class Net:
    """Wires between nodes, some of them inverting; rails; resistors that pull down."""

    wires: dict[tuple[Node, Node], bool] = field(default_factory=dict)  # True: it inverts
    rails: dict[Node, int] = field(default_factory=dict)
    pull_downs: set[Node] = field(default_factory=set)

    @classmethod
    def right(cls, lines: Iterable[tuple[str, bool]]) -> Net:
        """Every line (name, has a pull-down) where it belongs."""
        net = cls()
        for name, pulled in lines:
            net.wires[("board", name), ("rig", name)] = False
            if pulled:
                net.pull_downs.add(("board", name))
        return net

    def joined(self, node: Node) -> dict[Node, bool]:
        """All nodes that a node is joined to, itself too: True where the way there inverts."""
        seen = {node: False}
        waiting = [node]
        while waiting:
            here = waiting.pop()
            for (one, other), inverts in self.wires.items():
                for a, b in ((one, other), (other, one)):
                    if a == here and b not in seen:
                        seen[b] = seen[here] != inverts
                        waiting.append(b)
        return seen

    def drivers(self, node: Node, drive: Iterable[Node]) -> dict[Node, bool]:
        """Those of `drive` that are joined to a node, and whether the way inverts."""
        joined = self.joined(node)
        return {each: joined[each] for each in drive if each in joined}

    def rail(self, node: Node) -> int | None:
        """The rail that a node is shorted to; low when it is both."""
        found = [self.rails[each] for each in self.joined(node) if each in self.rails]
        return min(found) if found else None

    def level(self, node: Node, strong: Mapping[Node, int], pull: int) -> int:
        """A node's level when these nodes are driven and it is weakly pulled this way itself."""
        rail = self.rail(node)
        if rail is not None:
            return rail
        joined = self.joined(node)
        driven = [strong[each] ^ int(joined[each]) for each in strong if each in joined]
        if driven:
            return min(driven)
        return 0 if any(each in self.pull_downs for each in joined) else pull
