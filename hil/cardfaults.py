"""Jobs from a card under faults (`make card-faults`): pulled, slow, unreadable, torn, power, USB.

One process plays a job from a simulated card. At random instants it forks: the child breaks one
thing, looks at how the machine came to rest, mends it, goes on, and asks the verifier whether the
whole path is right.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil.cardplay import LONG_S, Play, WrongError
from hil.cuts import KINDS, Kind
from mfwire import card as c
from mfwire import session as s
from microfactory.cardjournal import entries, read_journal
from microfactory.errors import BoardFault

SOON_S = 3.0  # a fault must have stopped the machine by then, if it stops it


# ---- faults. Each breaks one thing in a child, and looks at what comes of it.


def pulled(play: Play, rng: random.Random) -> str:
    """The card is pulled; put back, the job goes on."""
    play.card.pull()
    return _held_and_on(play, rng)


def unreadable(play: Play, rng: random.Random) -> str:
    """From now on readings fail, all or some of them."""
    share = rng.choice((1.0, 0.3))
    play.card.bad = lambda number: rng.random() < share
    return _held_and_on(play, rng)


def slow(play: Play, rng: random.Random) -> str:
    """Readings take their time: it stops on its path where they take too long, and goes on."""
    most_ms = rng.choice((20, 100, 250, 600, 2000))
    play.card.slow = lambda number: rng.randrange(most_ms * 1000) if rng.random() < 0.3 else 0
    before = play.it.state
    play.until(lambda: play.it.state == c.ENDED or play.it.state == c.HELD, LONG_S)
    if play.it.state == c.HELD and play.it.why == c.LATE:
        play.on_path()
        play.card.slow = None
        play.it.wants_go = True
    if play.it.state == c.ENDED and "homing" in play.it.words:
        return _in_homing(play)  # a search for a switch that came to rest is not gone on with
    play.ended()
    return f"slow {most_ms} ms from {before}"


def held(play: Play, rng: random.Random) -> str:
    """A hand holds it, some times over."""
    for _ in range(rng.randrange(1, 4)):
        if play.it.state != c.PLAYING:
            break
        play.it.wants_hold = True
        if not play.until(play.still, SOON_S):
            raise WrongError("asked to hold, it goes on")
        if play.it.state == c.ENDED:
            break
        play.live(rng.uniform(0, 2))
        play.on_path()
        play.it.wants_go = True
        play.live(rng.uniform(0.15, 1.5))
    if play.it.state == c.ENDED and play.it.why != c.END:
        return _in_homing(play)
    play.ended()
    return "went on"


def stopped(play: Play, rng: random.Random) -> str:
    """A hand ends it."""
    play.it.wants_hold = play.it.wants_stop = True
    if not play.until(lambda: play.it.state == c.ENDED, SOON_S):
        raise WrongError("asked to end, it goes on")
    play.off()
    at = play.positions()
    play.live(5.0)
    if play.positions() != at:
        raise WrongError("ended, it moves")
    return "ended"


def torn(play: Play, rng: random.Random) -> str:
    """The card loses its power in the middle of a record of the journal, at any byte."""
    before = len(list(entries((play.folder / "journal.bin").read_bytes())))
    play.card.power = rng.randrange(513)
    play.until(lambda: play.still() or play.card.pulled, SOON_S)
    now = list(entries((Path(play.card.folder) / "journal.bin").read_bytes()))
    if len(now) < before:
        raise WrongError(f"the journal had {before} records and has {len(now)}")
    return _held_and_on(play, rng)


def power(play: Play, rng: random.Random) -> str:
    """The board loses its power: nothing moves or heats by itself, and the journal is honest."""
    if play.it.state == c.ENDED:
        return "ended before it"
    was_moving = play.link.board.state in s.MOVES
    line = play.it.line
    play.link.restart()
    at = play.positions()
    play.live(20.0)
    board = play.link.board
    if play.positions() != at or board.trusted or any(play.link.port.outputs):
        raise WrongError("after the power came back something moved, is on, or is trusted")
    record = read_journal(Path(play.card.folder))[-1]
    if record.verdict != "STOPPED" or "not known" not in record.why:
        raise WrongError(f"the journal says {record.verdict} {record.why}")
    return f"power, moving {was_moving}, line {line}"


def usb(play: Play, rng: random.Random) -> str:
    """Hosts come, go, and try to take over, in the middle of everything."""
    for _ in range(rng.randrange(1, 4)):
        client = play.client()
        for name, values in _tries(play, rng):
            if play.it.state == c.ENDED:
                break
            before = play.link.board.state
            client.send(name, **values)
            try:
                client.settle()
                if name != "CARD" and before in s.PLAYS:
                    raise WrongError(f"{name} was taken while a job plays")
            except BoardFault:
                pass
        client.pump(rng.uniform(0, 0.2))
        play.live(rng.uniform(0, 0.6))
    if play.it.state == c.HELD:
        raise WrongError(f"a host has stopped it: {play.it.words}")
    play.ended()
    return "not disturbed"


def _tries(play: Play, rng: random.Random) -> list[tuple[str, dict[str, Any]]]:
    all_of = [
        ("RESET", {"number": 0}),
        ("WINDOW", {"number": 1, "offset": 0, "total": 480, "data": bytes(480)}),
        ("COMMIT", {"number": 1}),
        ("START", {"number": 1}),
        ("ENABLE", {"motors": 0}),
        ("POSITION", {"motor": 0, "steps": 7}),
        ("OUTPUT", {"output": 0, "value": 65535}),
        ("CLEAR", {}),
        ("MAINTAIN", {}),
        ("CONFIG", {"offset": 0, "total": 4, "data": b"{}{}"}),
        ("CARD", {"act": c.PLAY, "data": b"\0job.mfjob"}),
        ("CARD", {"act": c.ASK, "data": b""}),
        ("CARD", {"act": c.FORGET, "data": b""}),
    ]
    return rng.sample(all_of, rng.randrange(1, 6))


def _held_and_on(play: Play, rng: random.Random) -> str:
    """It must come to rest on its path; the card is put right, and the job goes on to its end."""
    if not play.until(play.still, LONG_S):
        raise WrongError("the card is gone, and it neither stops nor ends")
    play.live(rng.uniform(0, 3))
    play.card.bad = None
    if play.it.state == c.ENDED and play.it.why == c.END:
        play.ended()
        return "ended before it was needed"
    if play.it.state == c.ENDED:
        return _in_homing(play)
    play.on_path()
    play.it.wants_go = True  # nothing is there yet
    play.live(0.3)
    play.card.put()
    play.it.wants_go = True
    play.live(0.3)
    play.ended()
    return "held, went on"


def _in_homing(play: Play) -> str:
    """A job that ends while it homes, or is being checked: everything off, nothing moves."""
    play.live(2.0)
    play.off()
    at = play.positions()
    play.live(2.0)
    if play.positions() != at:
        raise WrongError("ended, it moves")
    return f"ended: {play.it.words[:60]}"


FAULTS = (pulled, unreadable, slow, held, stopped, torn, power, usb)


# ---- the campaign


def trials(kind: Kind, count: int, seed: int) -> list[dict[str, str]]:
    """Play one job once, and split off so many trials on the way."""
    rng = random.Random(f"{seed} {kind.name}")
    out: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        play = Play(kind, Path(name))
        length_s = _length(kind)
        instants = sorted(_instant(rng, length_s) for _ in range(count))
        begin = play.link.now_s()
        play.begin()
        faults = [FAULTS[k % len(FAULTS)] for k in range(count)]
        rng.shuffle(faults)
        for k, (instant, fault) in enumerate(zip(instants, faults, strict=True)):
            if instant > play.link.now_s() - begin:
                play.live(instant - (play.link.now_s() - begin))
            out.append(_fork(play, fault, f"{seed} {kind.name} {k}", instant))
    return out


def _length(kind: Kind) -> tuple[float, float]:
    """Seconds at which the last stretch begins, and at which the job ends, undisturbed."""
    with tempfile.TemporaryDirectory() as name:
        play = Play(kind, Path(name))
        begin = play.link.now_s()
        play.begin()
        moves = 0.0
        while play.it.state != c.ENDED:
            play.live(0.1)
            if play.it.played == 0:
                moves = play.link.now_s() - begin
        play.ended()
        return moves, play.link.now_s() - begin


def _instant(rng: random.Random, length_s: tuple[float, float]) -> float:
    """Most in the motion, some while it is checked, homes and heats."""
    moves, end = length_s
    return rng.uniform(0, end) if rng.random() < 0.2 else rng.uniform(moves, end - 0.1)


def _fork(play: Play, fault: Any, seed: str, instant: float) -> dict[str, str]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        told = {"fault": fault.__name__, "seed": seed, "at": f"{instant:.6f}", "wrong": ""}
        own = Path(tempfile.mkdtemp(prefix="card-"))
        try:
            shutil.copytree(play.folder, own / "card")
            play.card.folder = str(own / "card")
            told["end"] = fault(play, random.Random(seed))
        except BaseException:
            told["wrong"] = traceback.format_exc()[-900:]
        finally:
            shutil.rmtree(own, ignore_errors=True)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(told))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        return {"fault": fault.__name__, "seed": seed, "wrong": "the trial ended without a word"}
    return dict(json.loads(text))


def main(argv: Sequence[str] | None = None) -> int:
    """Faults as asked; 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m hil.cardfaults", description=__doc__)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    kinds = KINDS[:4]
    done: list[dict[str, str]] = []
    for i, kind in enumerate(kinds):
        share = args.cases // len(kinds) + (i < args.cases % len(kinds))
        done += trials(kind, share, args.seed)
        print(f"{kind.name}: {share} faults", flush=True)
    wrong = [trial for trial in done if trial["wrong"]]
    for trial in wrong:
        print(json.dumps(trial))
    tried = Counter(trial["fault"] for trial in done)
    print(f"{len(done)} faults: {dict(sorted(tried.items()))}; {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
