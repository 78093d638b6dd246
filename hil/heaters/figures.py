"""What a campaign says: what is wrong with one heater, and a table of all."""

from __future__ import annotations

from hil.heaters.trial import KINDS, Attack, Outcome

OVER_MAX_C = 0.0  # in peace no heater gets beyond its max_c
TOLD_S = {"open": 0.25, "short": 0.25}
OTHERS_TOLD_S = 20.0
# what may be late by this after one who knows all could have told (hil.heaters.sure): a heater that
# is on may be welded on, weak or dead without showing much
AFTER_SURE_S = {"welded": 15.0, "dead": 20.0, "weak": 30.0}


def late(attack: Attack) -> bool:
    """Not told in its time, and not harmless."""
    most = TOLD_S.get(attack.kind, OTHERS_TOLD_S)
    return not attack.harmless and not 0 <= attack.told_s <= most + 1e-6


def unsure(attack: Attack) -> bool:
    """Nobody could have told it in its time from one that is whole."""
    return attack.sure_s < 0 or attack.sure_s > OTHERS_TOLD_S


def missed(attack: Attack) -> bool:
    """Late by more than is known and written down."""
    most = AFTER_SURE_S.get(attack.kind, -1.0)
    if not late(attack):
        return False
    return attack.told_s < 0 or most < 0 or attack.told_s > max(attack.sure_s, 0.0) + most


def wrong(outcome: Outcome) -> list[str]:
    """In words; empty: nothing."""
    out = [f"false alarm: {alarm}" for alarm in outcome.alarms]
    if outcome.tuned:
        out.append(f"not tuned: {outcome.tuned}")
    if outcome.over_max_c > OVER_MAX_C:
        out.append(f"{outcome.over_max_c:.1f} C beyond its limit")
    bad = filter(missed, outcome.attacks)
    out += [f"{a.kind} at {a.at_s:.1f} s told after {a.told_s:.1f} s" for a in bad]
    return out


def _regulated(tuned: list[Outcome]) -> list[str]:
    """Medians, 90 % and most, of hotends and beds apart."""
    out = ["               settled s           first C              rms C               fan C"]
    for kind in ("hotend", "bed"):
        some = [o for o in tuned if o.kind == kind and not o.alarms]
        row = ""
        for key in ("settled_s", "first_c", "rms_c", "blown_c"):
            values = sorted(getattr(o, key) for o in some) or [0.0]
            n = len(values)
            a, b, c = values[n // 2], values[n * 9 // 10], values[-1]
            row += (
                f"  {a:5.1f} {b:5.1f} {c:6.1f}"
                if key == "settled_s"
                else f"  {a:5.2f} {b:5.2f} {c:6.2f}"
            )
        out.append(f"{kind:<8} {row}")
    return out


def table(found: list[Outcome]) -> list[str]:
    """Lines of text."""
    tuned = [o for o in found if not o.tuned]
    over = sorted(o.over_c for o in tuned)
    out = [
        f"{len(found)} heaters, {len(found) - len(tuned)} not tuned, "
        f"{sum(bool(o.alarms) for o in found)} false alarms, "
        f"{sum(o.over_max_c > OVER_MAX_C for o in found)} beyond their limit; beyond the target: "
        f"median {over[len(over) // 2]:.1f} C, most {over[-1]:.1f} C",
        f"nearest to a false alarm: {max(o.nearest for o in tuned):.0%} of the bound",
        *_regulated(tuned),
        HEAD,
    ]
    return out + [
        _row(kind, [a for o in tuned for a in o.attacks if a.kind == kind]) for kind in KINDS
    ]


HEAD = (
    "fault            tried  never  harmless  late  unsure  median s  99 % s  most s  "
    "after sure s: 99 %  most  above C"
)


def _row(kind: str, tried: list[Attack]) -> str:
    """One kind of fault. late: told after its time; unsure: of these, nobody could in its time.

    above C: most above its target until it was told, of those that were late.
    """
    told = sorted(a.told_s for a in tried if a.told_s >= 0)
    after = sorted(a.told_s - a.sure_s for a in tried if a.told_s >= 0 and a.sure_s >= 0)
    behind = [a for a in tried if late(a)]
    above_c = max((a.above_c for a in behind), default=0.0)
    return (
        f"{kind:<16} {len(tried):5} {len(tried) - len(told):6} {sum(a.harmless for a in tried):9} "
        f"{len(behind):5} {sum(unsure(a) for a in behind):7} {_part(told, 0.5):9.1f} "
        f"{_part(told, 0.99):7.1f} {_part(told, 1.0):7.1f} {_part(after, 0.99):19.1f} "
        f"{_part(after, 1.0):5.1f} {above_c:8.1f}"
    )


def _part(values: list[float], part: float) -> float:
    """Of sorted values, the one that so many are no more than; 0: there are none."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0
