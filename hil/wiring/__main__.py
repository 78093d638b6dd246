"""Boards wired wrongly, and what the check says of them: python -m hil.wiring --boards 500."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

from rich.progress import track

from hil.wiring.campaign import boards


def main() -> int:
    """0: no wrong board passes, at least 95 in 100 are named, no false alarm; 1: not so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=500, help="so many wrong ones, so many right")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON a board")
    options = parser.parse_args()
    told: dict[bool, list[dict[str, object]]] = {True: [], False: []}
    for spoilt in (True, False):
        found = boards(options.boards, options.seed, spoilt)
        for board in track(
            found, "boards", options.boards, disable=not sys.stderr.isatty(), transient=True
        ):
            told[spoilt].append(board)
            if options.json or (not board["named"] if spoilt else not board["passed"]):
                print(json.dumps(board), flush=True)
    wrong = told[True]
    passed = sum(bool(board["passed"]) for board in wrong)
    named = sum(bool(board["named"]) for board in wrong)
    more = sum(bool(board["more"]) for board in wrong)
    alarms = sum(not board["passed"] for board in told[False])
    many = Counter(len(board["mistakes"]) for board in wrong)  # type: ignore[arg-type]
    longest = max(float(str(board["rig_s"])) for board in wrong + told[False])
    print(
        f"{len(wrong)} wrong boards ({many[2]} of them twice): {passed} passed, {named} named, "
        f"{more} told more than there is; "
        f"{len(told[False])} right boards: {alarms} false alarms; at most {longest:.2f} s"
    )
    return 0 if not passed and not alarms and named >= 0.95 * len(wrong) else 1


if __name__ == "__main__":
    sys.exit(main())
