"""What the probe's main.py imports: takes the memory, opens the port, runs for ever."""

import gc

import micropython

MEMORY = bytearray(3 * 32768)  # taken first, while the heap is in one piece

from mfboard.port_rp2_usb import Usb  # noqa: E402
from mfprobe.probe import Probe  # noqa: E402

micropython.alloc_emergency_exception_buf(100)


def main():
    """Never returns."""
    usb = Usb()
    probe = Probe(usb, MEMORY)
    micropython.kbd_intr(-1)  # what comes through the REPL's port stops nothing
    gc.collect()
    probe.run()


main()
