"""From what was observed to sentences: which line is wrong, and how.

Lines that follow each other are one component. A component's pattern is explained by the fewest
drivers that make it, its own lines first; a line that is then heard elsewhere, or nowhere, is told.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hil.wiring.bench import Observed, played_c
from hil.wiring.bursts import Wave, burst, expected
from hil.wiring.lines import Line, lines_of
from hil.wiring.waves import Signature, both, inverse, signature
from microfactory import Machine

NEAR_C = 3.0
SENTENCES = {
    "open": "{0} is open: its wire, its plug or its pin",
    "ground": "{0} is shorted to ground",
    "supply": "{0} is shorted to the supply",
    "short": "{0} and {1} are shorted together",
    "swap": "{0} and {1} are swapped",
    "moved": "{0} answers where {1} belongs",
    "inverted": "{0} is inverted: high where it should be low",
    "no pull-down": "{0} has no pull-down at its gate: it may switch on while the board starts",
    "unknown": "{0} does not do what it should, and not like any line of this board",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one line or two."""

    kind: str
    lines: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """In plain words."""
        return SENTENCES[self.kind].format(*self.lines)


class Patterns:
    """What each driven line should show, alone, inverted, or with others on the same wire."""

    def __init__(self, machine: Machine, lines: Iterable[Line], untried: set[str]) -> None:
        plan = burst(machine)
        self.edges = plan.edges
        self.waves: dict[str, Wave] = {
            line.label: expected(machine, plan, line)
            for line in lines
            if line.driven and line.label not in untried
        }
        self.silent = signature((), self.edges)

    def _made(self, drivers: tuple[tuple[str, bool], ...]) -> Signature:
        waves = [
            inverse(self.waves[name], self.edges[-1]) if inverted else self.waves[name]
            for name, inverted in drivers
        ]
        for wave in waves[1:]:
            waves[0] = both(waves[0], wave)
        return signature(waves[0], self.edges) if waves else self.silent

    def explain(self, own: list[str], seen: Signature) -> dict[str, bool] | None:
        """The drivers that make this pattern, and who is inverted: its own lines first."""
        for drivers in self._tries(own):
            if self._made(drivers) == seen:
                return dict(drivers)
        return None

    def _tries(self, own: list[str]) -> Iterator[tuple[tuple[str, bool], ...]]:
        mine = [name for name in own if name in self.waves]
        others = [name for name in self.waves if name not in mine]
        for some in itertools.chain(_subsets(mine), [()], ((o,) for o in others)):
            for signs in itertools.product((False, True), repeat=len(some)):
                yield tuple(zip(some, signs, strict=True))
        for some in itertools.chain(
            itertools.product(mine, others), itertools.combinations(others, 2)
        ):
            yield tuple((name, False) for name in some)


def _subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    for count in range(len(names), 0, -1):
        yield from itertools.combinations(names, count)


def diagnose(machine: Machine, observed: Observed) -> list[Finding]:
    """All that is wrong; empty: the board is wired right."""
    lines = lines_of(machine)
    untried = {
        line.label
        for line in lines
        if line.kind == "heater"
        and isinstance(observed.read.get(_sensor(lines, line.number), ""), str)
    }
    found = list(_resting(lines, observed, untried))
    railed = {name for f in found if f.kind in ("ground", "supply") for name in f.lines}
    driven = [line.label for line in lines if line.driven and line.label in observed.seen]
    driven = [name for name in driven if name not in untried]
    patterns = Patterns(machine, lines, untried)
    heard: dict[str, dict[str, bool]] = {}
    for group in _groups(driven, observed):
        who = patterns.explain(group, observed.seen[group[0]])
        if who is None and not railed & set(group):
            found += [Finding("unknown", (name,)) for name in group]
        heard |= {name: who or {} for name in group}
    found += _placed(driven, heard, railed)
    # at the board's end of a switch the probe's switches are heard: the other way round
    inputs = {
        line.label: int(machine.inputs[line.number].active == "low")
        for line in lines
        if line.kind == "input"
    }
    at = {name: _switches(inputs, observed.heard[name]) for name in inputs}
    found += _placed(list(inputs), at, railed | _mute(list(inputs), at, observed))
    found += _pull_downs(lines, observed, {n for f in found if f.kind == "open" for n in f.lines})
    found += _sensors(lines, observed, railed)
    return sorted(set(found), key=lambda f: (f.kind, f.lines))


def _sensor(lines: list[Line], number: int) -> str:
    return next(line.label for line in lines if (line.kind, line.number) == ("sensor", number))


def _groups(names: Iterable[str], observed: Observed) -> list[list[str]]:
    """Lines that follow each other."""
    groups: list[list[str]] = []
    for name in names:
        for group in groups:
            if any(name in observed.follow[o] or o in observed.follow[name] for o in group):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _resting(lines: list[Line], observed: Observed, untried: set[str]) -> Iterator[Finding]:
    """What weak pulls show before anything has power."""
    names = [line.label for line in lines]
    pulled = {line.label for line in lines if line.pull_down}
    for one, other in itertools.combinations(names, 2):
        if other in observed.follow[one] or one in observed.follow[other]:
            yield Finding("short", tuple(sorted((one, other))))
    silent = {name: set(slots) == {(0, 0)} for name, slots in observed.seen.items()}
    for name in names:
        up, down = observed.pulls[name]
        if down:
            yield Finding("supply", (name,))
        elif not up and name not in pulled:
            yield Finding("ground", (name,))
        elif not up and name not in untried and silent.get(name) and not observed.follow[name]:
            yield Finding("ground", (name,))  # its resistor is there, and nothing else


def _placed(
    names: list[str], heard: dict[str, dict[str, bool]], railed: set[str]
) -> Iterator[Finding]:
    """Lines heard where they do not belong, inverted, or nowhere. heard: at a place, who."""
    for name in names:
        here = heard[name]
        if name in here:
            if here[name]:
                yield Finding("inverted", (name,))
            continue
        elsewhere = [place for place in names if name in heard[place]]
        for place in elsewhere[:1]:
            if place in here:
                yield Finding("swap", tuple(sorted((name, place))))
            else:
                yield Finding("moved", (name, place))
        if not elsewhere and name not in railed:
            yield Finding("open", (name,))


def _switches(inputs: dict[str, int], levels: tuple[int, ...]) -> dict[str, bool]:
    """Which switches of the probe an input of the board hears, and whether inverted.

    inputs: their levels at rest.
    """
    rest = levels[-1]
    return {
        name: rest != inputs[name]
        for name, level in zip(inputs, levels, strict=False)
        if level != rest
    }


def _mute(inputs: list[str], at: dict[str, dict[str, bool]], observed: Observed) -> set[str]:
    """Switches shorted together that hold each other where they rest: no more is known of them."""
    groups = [group for group in _groups(inputs, observed) if len(group) > 1]
    return {name for group in groups for name in group if not at[name]}


def _pull_downs(lines: list[Line], observed: Observed, opened: set[str]) -> Iterator[Finding]:
    """Gates that nobody holds low."""
    for line in lines:
        if line.pull_down and line.label not in opened and observed.pulls[line.label] == (1, 0):
            yield Finding("no pull-down", (line.label,))


def _sensors(lines: list[Line], observed: Observed, railed: set[str]) -> Iterator[Finding]:
    """Thermistors that read as nobody played, or as another."""
    sensors = [line for line in lines if line.kind == "sensor" and line.label in observed.read]
    heard: dict[str, dict[str, bool]] = {}
    for line in sensors:
        value = observed.read[line.label]
        near = {
            other.label: False
            for other in sensors
            if not isinstance(value, str) and abs(played_c(other.number) - value) < NEAR_C
        }
        if value == "short" and line.label not in railed:
            yield Finding("ground", (line.label,))
        heard[line.label] = near
    alone = [
        name
        for group in _groups([line.label for line in sensors], observed)
        if len(group) == 1
        for name in group
    ]
    yield from _placed(alone, heard, railed | {n for n in alone if observed.read[n] == "short"})
