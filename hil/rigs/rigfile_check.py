"""What a rig's file must be beyond its keys: lines that exist, free pins, safe voltages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from hil.rigs.rigfile import Channel, RigFile

LOOP = "LOOP"  # a wire from the probe back to itself
SPECIAL = ("RUN", "BOOTSEL", "VBUS", LOOP)
HEADER_GPIOS = (*range(23), 26, 27, 28)  # of a Pico's edge; the others have no pin
PIN_MOST_V = 3.6  # RP2040 data sheet: IOVDD + 0.3 V
PIN_HIGH_V = 2.0  # RP2040 data sheet: seen as high from here on, IOVDD 3.3 V
RP2040_V = 3.3


def lines(rig: RigFile) -> list[str]:
    """Every line of the board under test that a channel may name."""
    out = []
    for connector, pins in rig.board.pins:
        out += [f"{connector}.STEP", f"{connector}.DIR"] if len(pins) == 2 else [connector]
    return [*out, *SPECIAL]


def check(rig: RigFile, file: TomlFile) -> None:
    """MachineError for the first thing that cannot be."""
    known = lines(rig)
    pins: dict[int, str] = {}
    taken: dict[tuple[str, bool], str] = {}
    for channel in rig.channels:
        place = ("channels", channel.name)
        if channel.line not in known:
            _unknown_line(channel, known, place, file)
        _pin(channel, pins, place, file)
        key = (channel.line, channel.direction == "listen")
        if key in taken:
            raise file.error(
                (*place, "line"), f"{channel.line} is on channel {taken[key]} already", "remove one"
            )
        taken[key] = channel.name
        _way(rig, channel, place, file)
        _volts(channel, place, file)
    ends = [key for key in taken if key[0] == LOOP]
    if len(ends) == 1:
        raise file.error(
            ("channels", taken[ends[0]], "line"),
            "a loop has two ends, one that drives and one that listens",
            f'add a channel with line = "{LOOP}" for the other end',
        )


def _unknown_line(
    channel: Channel, known: list[str], place: tuple[str, ...], file: TomlFile
) -> None:
    import difflib

    near = difflib.get_close_matches(channel.line, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"known lines: {', '.join(known)}"
    raise file.error((*place, "line"), f"the board has no line {channel.line!r}", hint)


def _pin(channel: Channel, pins: dict[int, str], place: tuple[str, ...], file: TomlFile) -> None:
    if channel.gpio not in HEADER_GPIOS:
        raise file.error(
            (*place, "gpio"), f"GPIO {channel.gpio} has no pin on a Pico", "use 0 to 22, 26 to 28"
        )
    if channel.gpio in pins:
        raise file.error(
            (*place, "gpio"),
            f"GPIO {channel.gpio} is used by {pins[channel.gpio]} already",
            "give each channel its own pin",
        )
    pins[channel.gpio] = channel.name


def _way(rig: RigFile, channel: Channel, place: tuple[str, ...], file: TomlFile) -> None:
    """Lines that the board drives are only listened to; those that it reads may be driven."""
    connector = channel.line.partition(".")[0]
    reads = {*rig.board.inputs, *rig.board.analog}
    if connector in SPECIAL or channel.direction == "listen":
        return
    if connector not in reads:
        raise file.error(
            (*place, "direction"),
            f"the board drives {channel.line} itself; two drivers on one line hurt both",
            'write direction = "listen"',
        )
    if (channel.direction == "analog") != (connector in rig.board.analog):
        word = "analog" if connector in rig.board.analog else "pull"
        raise file.error(
            (*place, "direction"),
            f"{channel.line} cannot be tried with {channel.direction!r}",
            f'write direction = "{word}"',
        )
    if channel.direction == "drive" and not channel.series_ohm and channel.shift == "none":
        raise file.error(
            (*place, "series_ohm"),
            "a driven line without a resistor hurts both chips when their levels differ",
            "put 1000 ohm between them",
        )


def _volts(channel: Channel, place: tuple[str, ...], file: TomlFile) -> None:
    if not channel.min_v < channel.max_v:
        raise file.error((*place, "max_v"), "max_v is not above min_v")
    if channel.board_v > channel.max_v:
        raise file.error(
            (*place, "max_v"),
            f"the line is at {channel.board_v:g} V when high, above its own limit of "
            f"{channel.max_v:g} V",
            "correct board_v or max_v",
        )
    if channel.shift == "divider" and not (channel.series_ohm and channel.ground_ohm):
        raise file.error(
            (*place, "shift"), "a divider has two resistors", "add series_ohm and ground_ohm"
        )
    if channel.shift in ("none", "filter", "divider"):
        _direct(channel, place, file)


def _direct(channel: Channel, place: tuple[str, ...], file: TomlFile) -> None:
    """The line's voltage reaches the pin: it must neither hurt it nor be too low to be read."""
    at_pin = channel.max_v * channel.ratio
    if at_pin > PIN_MOST_V + 1e-9:
        raise file.error(
            (*place, "shift"),
            f"up to {at_pin:.2f} V would stand at GPIO {channel.gpio}, which takes "
            f"{PIN_MOST_V:g} V",
            'use shift = "divider" (series_ohm = 10000, ground_ohm = 18000 for 5 V), "buffer" or '
            '"opto"',
        )
    if channel.direction == "listen" and channel.board_v * channel.ratio < PIN_HIGH_V:
        raise file.error(
            (*place, "ground_ohm"),
            f"a high level is {channel.board_v * channel.ratio:.2f} V at GPIO {channel.gpio}, and "
            f"less than {PIN_HIGH_V:g} V is not read as high",
            "use a larger ground_ohm",
        )
    if channel.direction == "drive" and channel.line != LOOP and channel.board_v > RP2040_V + 0.1:
        raise file.error(
            (*place, "direction"),
            f"the probe drives {RP2040_V:g} V and the line is at {channel.board_v:g} V",
            'write direction = "pull", or use shift = "buffer"',
        )
