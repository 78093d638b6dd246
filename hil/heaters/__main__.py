"""Random heaters, tuned, then broken in every way: python -m hil.heaters --plants 1000."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from multiprocessing import Pool

from rich.progress import track

from hil.heaters.figures import table, wrong
from hil.heaters.trial import Outcome, trial


def main() -> int:
    """0: nothing wrong; 1: a false alarm, one beyond its limit, or a fault not told in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first heater times 100,000")
    parser.add_argument("--control", choices=("pid", "model"), default="pid")
    parser.add_argument(
        "--sensor", choices=("beta", "pt1000", "max31855", "max6675"), default="beta"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="one line of JSON a heater")
    options = parser.parse_args()
    seeds = range(options.seed * 100_000, options.seed * 100_000 + options.plants)
    one = partial(trial, control=options.control, sensor=options.sensor)
    found: list[Outcome] = []
    with Pool(options.jobs) as pool:
        for outcome in track(
            pool.imap(one, seeds), "heaters", len(seeds),
            disable=not sys.stderr.isatty(), transient=True,
        ):  # fmt: skip
            found.append(outcome)
            bad = wrong(outcome)
            if options.json or bad:
                print(json.dumps(asdict(outcome) | {"wrong": bad}), flush=True)
    print("\n".join(table(found)))
    return 1 if any(wrong(outcome) for outcome in found) else 0


if __name__ == "__main__":
    sys.exit(main())
