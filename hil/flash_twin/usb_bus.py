"""A USB bus behind pyusb's backend interface: devices at ports, and faults at any transfer.

pyusb itself runs unchanged on top of it, so what is tested is what talks to a real board.
"""

import errno
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import usb.backend
from usb.core import USBError, USBTimeoutError

from hil.flash_twin.bootsel import Bootsel, StallError
from hil.flash_twin.nor import PowerCutError

PIPE, GONE, TIMED_OUT = -9, -4, -7  # libusb's numbers

Fault = Callable[[int, str], str]


class Device:
    """A chip at a port of the bus, in its boot loader."""

    def __init__(self, chip: Bootsel, port: tuple[int, ...] = (1, 2)) -> None:
        self.chip = chip
        self.port = port
        self.plugged = True
        self.address = 0
        self.transfers = 0
        self.fault: Fault = lambda number, what: ""  # "", unplug, stall, short or timeout
        self.leaving = False  # told to reboot: half a second later it does
        chip.on_reboot = self.told_to_reboot

    def told_to_reboot(self) -> None:
        """The transfer that is going on still ends."""
        self.leaving = True

    def plug_in(self, held: bool = False) -> bool:
        """Power comes (again); whether it is in its boot loader."""
        self.plugged = self.chip.power_on(held)
        return self.plugged

    def pull_out(self) -> None:
        """The cable goes, and the power with it."""
        self.plugged = False

    @property
    def product(self) -> int:
        """USB product id."""
        return 0x0003 if self.chip.chip == "RP2040" else 0x000F


class Bus(usb.backend.IBackend):  # type: ignore[misc]
    """Give it to pyusb as `backend=`."""

    def __init__(self, *devices: Device) -> None:
        self.devices = list(devices)
        for number, device in enumerate(self.devices):
            device.address = number + 1

    # ---- descriptors

    def enumerate_devices(self) -> Any:
        return iter([device for device in self.devices if device.plugged])

    def get_parent(self, dev: Device) -> None:
        return None

    def get_device_descriptor(self, dev: Device) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x0110, bDeviceClass=0, bDeviceSubClass=0,
            bDeviceProtocol=0, bMaxPacketSize0=64, idVendor=0x2E8A, idProduct=dev.product,
            bcdDevice=0x0100, iManufacturer=1, iProduct=2, iSerialNumber=3, bNumConfigurations=1,
            address=dev.address, bus=dev.port[0], port_number=dev.port[-1],
            port_numbers=dev.port[1:], speed=2,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: Device, config: int) -> Any:
        if config:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=55, bNumInterfaces=2, bConfigurationValue=1,
            iConfiguration=0, bmAttributes=0x80, bMaxPower=250, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: Device, intf: int, alt: int, config: int) -> Any:
        if intf > 1 or alt:
            raise IndexError
        kind = (8, 6, 0x50) if intf == 0 else (0xFF, 0, 0)
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=intf, bAlternateSetting=0,
            bNumEndpoints=2, bInterfaceClass=kind[0], bInterfaceSubClass=kind[1],
            bInterfaceProtocol=kind[2], iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(
        self, dev: Device, ep: int, intf: int, alt: int, config: int
    ) -> Any:
        address = ((0x81, 0x02), (0x03, 0x84))[intf][ep]
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=address, bmAttributes=2,
            wMaxPacketSize=64, bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    # ---- handles

    def open_device(self, dev: Device) -> Device:
        self._alive(dev)
        return dev

    def close_device(self, dev_handle: Device) -> None: ...

    def set_configuration(self, dev_handle: Device, config_value: int) -> None:
        self._alive(dev_handle)

    def get_configuration(self, dev_handle: Device) -> int:
        self._alive(dev_handle)
        return 1

    def claim_interface(self, dev_handle: Device, intf: int) -> None:
        self._alive(dev_handle)

    def release_interface(self, dev_handle: Device, intf: int) -> None: ...

    def clear_halt(self, dev_handle: Device, ep: int) -> None:
        self._alive(dev_handle)
        halted = dev_handle.chip.halted
        which = "in" if ep & 0x80 else "out"
        assert halted[which], "cleared an endpoint that was not halted"
        halted[which] = False

    # ---- transfers

    def bulk_write(self, dev_handle: Device, ep: int, intf: int, data: Any, timeout: int) -> int:
        raw = bytes(data)
        return self._transfer(dev_handle, "out", lambda: dev_handle.chip.write(raw), len(raw))

    def bulk_read(self, dev_handle: Device, ep: int, intf: int, buff: Any, timeout: int) -> int:
        def move() -> int:
            data = dev_handle.chip.read(len(buff))
            buff[: len(data)] = type(buff)("B", data)
            return len(data)

        return self._transfer(dev_handle, "in", move, len(buff))

    def ctrl_transfer(
        self, dev_handle: Device, kind: int, request: int, value: int, index: int,
        data: Any, timeout: int,
    ) -> int:  # fmt: skip
        def move() -> int:
            if (kind, request) == (0x82, 0):  # GET_STATUS of an endpoint
                halted = dev_handle.chip.halted["in" if index & 0x80 else "out"]
                answer = bytes((int(halted), 0))
            elif kind == 0x80 and request == 6 and value >> 8 == 3:
                answer = _string(dev_handle, value & 255)
            else:
                answer = dev_handle.chip.control(kind, request, len(data))
            data[: len(answer)] = type(data)("B", answer)
            return len(answer)

        return self._transfer(dev_handle, "control", move, len(data))

    def _transfer(self, dev: Device, what: str, move: Callable[[], int], size: int) -> int:
        self._alive(dev)
        number = dev.transfers
        dev.transfers += 1
        fault = dev.fault(number, what)
        if fault == "unplug":
            dev.pull_out()
        elif fault == "stall":
            raise USBError("Pipe error", PIPE, errno.EPIPE)
        elif fault == "timeout":
            raise USBTimeoutError("Operation timed out", TIMED_OUT, errno.ETIMEDOUT)
        self._alive(dev)
        try:
            moved = move()
        except StallError:
            raise USBError("Pipe error", PIPE, errno.EPIPE) from None
        except PowerCutError:
            dev.pull_out()
        self._alive(dev)
        if dev.leaving:
            dev.leaving = False
            dev.plug_in()
        return max(0, moved - 1) if fault == "short" else moved

    def _alive(self, dev: Device) -> None:
        if not dev.plugged:
            raise USBError("No such device (it may have been disconnected)", GONE, errno.ENODEV)


def _string(dev: Device, index: int) -> bytes:
    if index == 0:
        return bytes((4, 3, 9, 4))
    number = "E0C9125B0D9B" if dev.chip.chip == "RP2040" else f"{dev.chip.number:016X}"
    text = ("Raspberry Pi", "RP2 Boot", number)[index - 1].encode("utf-16-le")
    return bytes((len(text) + 2, 3)) + text
