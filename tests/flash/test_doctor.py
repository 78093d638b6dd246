"""The doctor: each cause by its sign, in one sentence; made-up systems, simulated boards."""

import json
from pathlib import Path

import pytest
from desk import blank, flashed, micropython, plan
from hil.flash_twin.pico import Desk, Pico

from microfactory.cli.main import main
from microfactory.flash import devices, doctor, system_linux
from microfactory.flash.devices import Found
from microfactory.flash.system_linux import Port, System


def said(boards: list[Found], system: System | None = None) -> str:
    return "\n".join(map(str, doctor.diagnose(boards, system or System(now_s=1000.0))))


def ours(**rest: str) -> Found:
    return Found("1-2", devices.PROGRAM, ports=["/dev/ttyACM0"], data_port="/dev/ttyACM0", **rest)


DEVICE = "/dev/ttyACM0"
SIGNS = {
    "permission": ([ours()], {"ports": (Port(DEVICE, False, ()),)}, "may not use /dev/ttyACM0"),
    "busy": ([ours()], {"ports": (Port(DEVICE, True, ("octoprint (41)",)),)}, "octoprint"),
    "modem": ([ours()], {"modem_manager": True, "rule_installed": False}, "ModemManager"),
    "rule": ([Found("1-2", devices.LOADER, "RP2040")], {"rule_installed": False}, "only root"),
    "cable": ([], {"usb": (("1-1", 0x1D6B, 2),)}, "carries power and no data"),
    "driver": ([], {"usb": (("1-2", 0x2E8A, 5),)}, "the kernel sees a board (2e8a:0005)"),
    "wrong": ([Found("1-2", devices.OTHER)], {}, "the wrong firmware"),
    "micropython": ([Found("1-2", devices.MICROPYTHON)], {}, "not our program"),
    "version": ([ours(note="the board has another firmware")], {}, "different tables"),
    "silent": ([ours(state="does not answer")], {}, "says nothing"),
    "fault": ([ours(state="FAULT fault")], {}, "a fault is latched"),
    "brown-out": ([ours()], {"lost_s": {"1-2": (700.0, 731.0, 742.0, 990.0)}}, "a brown-out"),
    "watchdog": ([ours()], {"lost_s": {"1-2": (970.0, 979.1, 988.0, 997.2)}}, "its watchdog"),
    "over-current": ([ours()], {"over_current": True}, "over-current"),
    "sleep": ([ours()], {"woken_s": (900.0,)}, "woken from sleep"),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNS)
def test_each_cause_is_told_by_its_sign(name):
    boards, facts, words = SIGNS[name]
    text = said(boards, System(now_s=1000.0, **facts))
    assert words in text
    assert all(line.count(";") >= 1 for line in text.splitlines())


def test_a_healthy_board_has_no_finding():
    assert said([ours(state="READY")]) == ""
    old = System(now_s=5000.0, lost_s={"1-2": (1.0, 2.0, 3.0)}, woken_s=(100.0,))
    assert said([ours(state="READY")], old) == ""
    other = System(now_s=20.0, lost_s={"1-7": (1.0, 2.0, 3.0)})
    assert said([ours(state="READY")], other) == ""


LINES = """\
[   12.000001] usb 1-2: new full-speed USB device number 5 using xhci_hcd
[  100.250000] usb 1-2: USB disconnect, device number 5
[  104.500000] usb 1-2.3: USB disconnect, device number 6
[  120.000000] usb 1-2: USB disconnect, device number 7
[  130.000000] usb usb1-port2: over-current change #1
[  140.000000] PM: suspend exit
""".splitlines()


def test_linux_is_read_as_it_writes(tmp_path):
    (tmp_path / "etc/udev/rules.d").mkdir(parents=True)
    process = tmp_path / "proc/4242"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("ModemManager\n")
    (process / "fd/3").symlink_to("/dev/ttyNONE")
    device = tmp_path / "sys/bus/usb/devices/1-2"
    device.mkdir(parents=True)
    (device / "idVendor").write_text("2e8a\n")
    (device / "idProduct").write_text("0005\n")
    (tmp_path / "sys/bus/usb/devices/1-0:1.0").mkdir()
    system = system_linux.look(["/dev/ttyNONE"], tmp_path, LINES)
    assert system.ports == (Port("/dev/ttyNONE", False, ("ModemManager (4242)",)),)
    assert system.usb == (("1-2", 0x2E8A, 5),)
    assert system.modem_manager
    assert not system.rule_installed
    assert system.lost_s == {"1-2": (100.25, 120.0), "1-2.3": (104.5,)}
    assert system.over_current
    assert system.woken_s == (140.0,)
    (tmp_path / "etc/udev/rules.d/60-microfactory.rules").write_text(system_linux.UDEV_RULE)
    assert system_linux.rule_installed(tmp_path)


def test_what_this_computer_says_can_be_read():
    system = system_linux.look([], Path("/"))
    assert system.now_s > 0


def test_a_full_file_system_and_a_board_without_a_whole_slot_are_found_at_the_prompt():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    files = pico.files()
    for slot in "ab":
        files.remove(f"/{slot}")
    pico.plug_in()
    desk = Desk(pico)
    text = "\n".join(map(str, doctor.ask(desk, devices.find(desk))))
    assert "neither slot holds a whole program" in text
    pico.unplug()
    files = pico.files()
    free = files.fs.fs_stat().block_count - files.fs.used_block_count
    files.write("/mine", bytes(4096 * (free - 5)))
    pico.plug_in()
    text = "\n".join(map(str, doctor.ask(desk, devices.find(desk))))
    assert "it is full" in text


def test_boards_on_the_desk_are_told_apart():
    pico = Pico("RP2040", (1, 3), 3)
    text = said(devices.find(Desk(blank(1), micropython(2), pico)))
    assert "usb 1-1: an RP2040 in its boot loader" in text
    assert "usb 1-2: MicroPython answers" in text


def test_the_command_answers_in_words_and_in_json(capsys):
    assert main(["doctor", "--bus", "twin:blank"]) == 0
    assert "boot loader" in capsys.readouterr().out
    assert main(["doctor", "--bus", "twin:blank", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value["findings"][0]) == {"where", "seen", "means", "todo"}
    assert main(["doctor", "--rule"]) == 0
    rule = capsys.readouterr().out
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in rule
    assert rule == system_linux.UDEV_RULE
