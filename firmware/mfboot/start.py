"""What runs first on a board: pins safe, then the slot that is to run, or the REPL with a word why.

The chooser itself is small, changes seldom, and is never part of an update.
"""

import gc
import json
import sys

from mfboot import slots
from mfboot.files import Files

MAINTAIN = "/maintain"  # a file: the next start stays in the REPL
TRIAL_MS = 8000  # a program on trial that hangs before it has its own watchdog is reset


def safe(files, pin):
    """Outputs to their safe levels, as /pins.json says: {"low": [...], "high": [...]}."""
    data = files.read("/pins.json")
    if data:
        pins = json.loads(data.decode())
        for value, key in ((0, "low"), (1, "high")):
            for number in pins[key]:
                pin(number, pin.OUT, value=value)


def run(machine, files=None):
    """Choose and run. Returns when the board is to stay in its REPL."""
    files = files or Files()
    safe(files, machine.Pin)
    if files.digest(MAINTAIN) is not None:
        files.remove(MAINTAIN)
        print("microfactory: maintenance; the next start runs the program again")
        return
    slot, trial = slots.choose(files)
    if slot is None:
        print("microfactory: neither slot is whole; no program runs; flash this board again")
        return
    if trial:
        machine.WDT(timeout=TRIAL_MS)
    running[0] = slot
    sys.path.insert(0, "/" + slot)
    gc.collect()  # the program gets the memory in one piece
    try:
        __import__("app")
    except Exception as error:
        sys.print_exception(error)
        safe(files, machine.Pin)
        if trial:
            machine.reset()
        print("microfactory: the program in slot " + slot + " failed; all outputs are off")


running = [None]  # the slot that was started


def confirm(files=None):
    """For the program that runs, once it has shown that it works."""
    if running[0] is not None:
        slots.confirm(files or Files(), running[0])
