"""Damaged frames through the board's decoder: python -m hil.noise --frames 100000000 --seed 1.

None may come out as another payload. Its twin in C is tried by tests/c/noise_frames.c. Ctrl-C ends
it with what it has seen.
"""

from __future__ import annotations

import argparse
import random
import sys
from functools import partial
from multiprocessing import Pool

from rich.progress import Progress

from mfwire.frames import FRAME_BYTES, Decoder, encode_into
from microfactory.checksum import ZlibCrc

CHUNK = 50_000  # frames that one process tries in one go
KINDS = 200


def frame(payload: bytes) -> bytes:
    """One frame's bytes."""
    out = bytearray(FRAME_BYTES + 8)
    length = encode_into(out, bytearray(payload) + bytearray(4), len(payload), ZlibCrc())
    return bytes(out[:length])


def damaged(good: bytes, dice: random.Random) -> bytes:
    """A frame's bytes with 1 to 8 bits flipped, a byte lost, added or changed, or its end lost."""
    data, how = bytearray(good), dice.randrange(5)
    at = dice.randrange(len(data) - 1)
    if how == 0:
        for bit in dice.sample(range(8 * (len(data) - 1)), dice.randrange(1, 9)):
            data[bit // 8] ^= 1 << bit % 8
    elif how == 1:
        del data[at]
    elif how == 2:
        data.insert(at, dice.randrange(256))
    elif how == 3:
        data[at] ^= dice.randrange(1, 256)
    else:
        del data[at:-1]
    return bytes(data)


def decode(decoder: Decoder, data: bytes) -> list[bytes]:
    """The payloads that come out."""
    out = []
    at = 0
    while at < len(data):
        at = decoder.feed(data, at, len(data))
        if decoder.length:
            out.append(bytes(decoder.payload[: decoder.length]))
    return out


def tried(seed: int, many: int) -> tuple[int, int]:
    """So many damaged frames: how many came out as another payload, and how many whole (a zero
    before one, or a byte doubled and lost again, harms nothing).
    """
    dice = random.Random(seed)
    decoder = Decoder(ZlibCrc())
    payloads = [dice.randbytes(dice.randrange(8, 40)) for _ in range(KINDS)]
    frames = [frame(payload) for payload in payloads]
    wrong = whole = 0
    for _ in range(many):
        i = dice.randrange(KINDS)
        for payload in decode(decoder, damaged(frames[i], dice) + b"\0"):
            wrong += payload != payloads[i]
            whole += payload == payloads[i]
    return wrong, whole


def main() -> int:
    """0: none was taken for another; 1: some; 130: stopped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chunks = -(-options.frames // CHUNK)
    done = wrong = whole = 0
    stopped = ""
    with Pool(options.jobs) as pool, Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("frames", total=chunks * CHUNK)
        seeds = range(options.seed * 1_000_000, options.seed * 1_000_000 + chunks)
        try:
            for bad, good in pool.imap_unordered(partial(tried, many=CHUNK), seeds):
                done, wrong, whole = done + CHUNK, wrong + bad, whole + good
                bar.advance(task, CHUNK)
        except KeyboardInterrupt:
            stopped = " (stopped)"
            pool.terminate()
    print(
        f"{done} damaged frames through the decoder{stopped}: {wrong} taken for another, "
        f"{whole} whole behind their damage"
    )
    return 1 if wrong else 130 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
