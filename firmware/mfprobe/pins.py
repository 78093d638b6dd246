"""What the probe does to the board's lines: switches, sensors, RUN, BOOTSEL, USB power.

A pin that was never set is an input. After an exception and after a reset all are.
"""

import rp2
from machine import PWM, Pin
from utime import sleep_us

from mfprobe import pio, words

HZ = 125_000_000
BURST_US = 10  # and its pause, at most


class Pins:
    """driven: mask of the pins that are set."""

    def __init__(self):
        self.driven = 0
        self.pwm = {}

    def set(self, number, mode, value):
        """One pin, at once. ValueError: no such pin or mode."""
        if number > 28 or 23 <= number <= 25 or mode > words.DUTY:
            raise ValueError
        if number in self.pwm and mode != words.DUTY:
            self.pwm.pop(number).deinit()
        if mode == words.DUTY:
            if number not in self.pwm:
                self.pwm[number] = PWM(Pin(number), freq=words.PWM_HZ, duty_u16=value)
            self.pwm[number].duty_u16(value)
        elif mode in (words.LOW, words.HIGH):
            Pin(number, Pin.OUT, value=mode == words.HIGH)
        else:
            pull = (None, Pin.PULL_UP, Pin.PULL_DOWN)[(0, 0, 0, 1, 2)[mode]]
            Pin(number, Pin.IN, pull)
        if mode in (words.RELEASE, words.PULL_UP, words.PULL_DOWN):
            self.driven &= ~(1 << number)
        else:
            self.driven |= 1 << number

    def bursts(self, number, count):
        """So many bursts on a pin, which is an input before and behind. ValueError: no such pin."""
        if not count:
            raise ValueError
        self.set(number, words.RELEASE, 0)
        player = rp2.StateMachine(4, pio.bursts(), freq=HZ, set_base=Pin(number, Pin.OUT, value=0))
        player.active(1)
        player.put(count - 1)
        sleep_us(BURST_US * count)
        player.active(0)
        rp2.PIO(1).remove_program()
        self.set(number, words.RELEASE, 0)

    def release(self):
        """All pins let go."""
        for number in range(29):
            if self.driven >> number & 1:
                self.set(number, words.RELEASE, 0)
