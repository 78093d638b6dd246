"""What a campaign says: what is wrong with one heater, and a table of all."""

from __future__ import annotations

import math

from hil.heaters.trial import KINDS, Attack, Outcome

OVER_MAX_C = 0.0  # in peace no heater gets beyond its max_c
TOLD_S = {"open": 0.25, "short": 0.25}
OTHERS_TOLD_S = 20.0
# what is wrong beyond being late: one that welds closed while it is on may take longer, for the
# power it gets differs little at first; one without power gets nothing hot
WRONG_S = {"welded": 30.0, "dead": math.inf, "weak": math.inf}


def late(attack: Attack) -> bool:
    """Not told in its time, and not harmless."""
    most = TOLD_S.get(attack.kind, OTHERS_TOLD_S)
    return not attack.harmless and not 0 <= attack.told_s <= most + 1e-6


def missed(attack: Attack) -> bool:
    """Late by more than is known and written down."""
    most = WRONG_S.get(attack.kind, 0.0)
    return late(attack) and most < math.inf and not 0 <= attack.told_s <= most


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
        *_regulated(tuned),
        "fault            tried  told  in time  harmless  late  median s  longest s",
    ]
    for kind in KINDS:
        tried = [a for o in tuned for a in o.attacks if a.kind == kind]
        told = sorted(a.told_s for a in tried if a.told_s >= 0)
        if not tried:
            continue
        behind = sum(late(a) for a in tried)
        harmless = sum(a.harmless for a in tried)
        middle, last = (told[len(told) // 2], told[-1]) if told else (0.0, 0.0)
        out.append(
            f"{kind:<16} {len(tried):5} {len(told):5} {len(tried) - harmless - behind:8} "
            f"{harmless:9} {behind:5} {middle:9.1f} {last:10.1f}"
        )
    return out
