"""A minute of a heater's turns with the heap locked: MemoryError if any takes memory.

Run by MicroPython: `still_heap.py FIRMWARE ITEM`, ITEM a file with a heater as JSON.
Prints the temperature in the end and how many bytes were taken.
"""

import gc
import json
import sys

import micropython

sys.path.insert(0, sys.argv[1])

from mfboard.heat import Heat
from mfboard.heaters import Heater

FRAMES = (0x0C800190, 0x0C840191, 0x0CC80190, 0x0D000190)  # MAX31855: 200 C, and a doubt in each
READ = (60000, 59990, 59985, 59970, 65535, 59950, 59940, 59930)  # warming, one bad reading


class World:
    """A board and its port in one: what Heat asks of them."""

    def __init__(self, heater):
        self.heaters = [heater]
        self.port = self
        self.changed = False
        self.faults = 0
        self.count = 0

    def adc(self, i):
        self.count += 1
        return READ[self.count & 7] - 40 * self.count

    def convert(self, i, out):
        frame = FRAMES[self.count & 3] if self.count & 4 else FRAMES[0]
        self.count += 1
        k = len(out)
        while k > 0:
            k -= 1
            out[k] = frame & 255
            frame >>= 8

    def note_temperature(self, i, now_mc):
        return

    def note_target(self, i, target_dc):
        return

    def set_heater(self, i, duty):
        return

    def trip(self, fault, detail):
        self.faults += 1


def main():
    with open(sys.argv[2]) as file:
        item = json.load(file)
    world = World(Heater(item))
    heat = Heat(world)
    heat.configure(0)
    heat.to(0, 2050)
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    k = 0
    while k < 600:
        heat.service(k * 100_000)
        k += 1
    micropython.heap_unlock()
    print(world.heaters[0].now_mc, world.faults > 0, gc.mem_alloc() - before)


main()
