"""A board's MicroPython, played by the real one: its file system, its start, its raw REPL.

Runs on MicroPython's unix build: hil/flash_twin/pico.py starts it with the flash's file-system part
in a file and this process's standard input and output as the USB serial port. The interpreter, the
littlefs and the chooser are the real ones; `machine` is a stand-in, and a program of a slot that is
to be started ends this process with its name, for it needs the chip.
Arguments: file, number of the chip in hex, text of sys.implementation._machine.
"""

import builtins
import os
import sys

import vfs

BLOCK = 4096
LARGEST = 16384  # code in one piece
LEAVES = {"reset": 10, "bootloader": 11, "/a": 12, "/b": 13}


class Flash:
    """The block device under littlefs: erase gives ones, a program only clears bits."""

    def __init__(self, path):
        self.file = open(path, "r+b")
        self.blocks = os.stat(path)[6] // BLOCK

    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * BLOCK + offset)
        self.file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        old = bytearray(len(buffer))
        self.readblocks(block, old, offset)
        self.file.seek(block * BLOCK + offset)
        self.file.write(bytes(a & b for a, b in zip(old, buffer)))
        self.file.flush()

    def ioctl(self, operation, block):
        if operation == 4:
            return self.blocks
        if operation == 5:
            return BLOCK
        if operation == 6:
            self.file.seek(block * BLOCK)
            self.file.write(b"\xff" * BLOCK)
            self.file.flush()
        return 0


def leave(how):
    """One life of the chip is over."""
    sys.exit(LEAVES[how])


class Pin:
    """Remembers nothing: the twin has no pins."""

    OUT = 1

    def __init__(self, number, mode, value=None):
        assert isinstance(number, int)


class Machine:
    """What the chooser and the flash tool ask of `machine`."""

    Pin = Pin

    def __init__(self, number):
        self.number = number

    def unique_id(self):
        return self.number

    def reset(self):
        leave("reset")

    def bootloader(self):
        leave("bootloader")

    def WDT(self, timeout):  # noqa: N802 - the name it has on the chip
        return self


class Implementation:
    """sys.implementation as on the chip."""

    def __init__(self, machine):
        self._machine = machine
        self._mpy = sys.implementation._mpy
        self.version = sys.implementation.version
        self.name = "micropython"


class Sys:
    """The module sys, with another machine's name."""

    def __init__(self, machine):
        for name in dir(sys):
            if name[:2] != "__":
                setattr(self, name, getattr(sys, name))
        self.implementation = Implementation(machine)


real_import = builtins.__import__


def chip_import(name, *rest):
    """A program of a slot runs elsewhere."""
    if name == "app":
        leave(sys.path[0])
    return real_import(name, *rest)


def read_byte():
    data = sys.stdin.buffer.read(1)
    if not data:
        sys.exit(0)
    return data


def out(data):
    sys.stdout.buffer.write(data)


def execute(code, names):
    """As the raw REPL does: what it prints, 04, what it raised, 04."""
    out(b"")
    try:
        exec(compile(code, "<stdin>", "exec"), names)
    except SystemExit as error:
        raise error
    except BaseException as error:
        out(b"\x04")
        sys.print_exception(error)
        out(b"\x04")
        return
    out(b"\x04\x04")


def raw_paste():
    """Raw paste mode: a window of 128 bytes, two windows at the start."""
    out(b"R\x01\x80\x00\x01")
    code = bytearray(LARGEST)
    view = memoryview(code)
    length = 0
    room = 256
    read = sys.stdin.buffer.readinto
    while True:
        if not read(view[length : length + 1]):
            sys.exit(0)
        byte = code[length]
        if byte == 4:
            out(b"\x04")
            return bytes(view[:length])
        if byte == 3:
            out(b"\x04")
            return None
        length += 1
        room -= 1
        if room <= 128:
            out(b"\x01")
            room += 128


def raw(names):
    """The raw REPL, until Ctrl-B."""
    out(b"raw REPL; CTRL-B to exit\r\n>")
    line = b""
    while True:
        byte = read_byte()
        if byte == b"\x02":
            return
        if byte == b"\x05" and not line:
            if read_byte() + read_byte() == b"A\x01":
                code = raw_paste()
                if code is not None:
                    execute(code, names)
                out(b">")
        elif byte == b"\x01":
            out(b"raw REPL; CTRL-B to exit\r\n>")
            line = b""
        elif byte == b"\x03":
            line = b""
        elif byte == b"\x04":
            out(b"OK")
            execute(line, names)
            out(b">")
            line = b""
        else:
            line += byte


def friendly(names):
    """The prompt that people see; here it understands only the way to the raw one."""
    out(b'\r\nMicroPython v1.29.0; Type "help()" for more information.\r\n>>> ')
    while True:
        byte = read_byte()
        if byte == b"\x01":
            raw(names)
            out(b"\r\n>>> ")
        elif byte in (b"\x03", b"\r"):
            out(b"\r\n>>> ")
        else:
            out(byte)


def main(path, number, name):
    flash = Flash(path)
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/")
    except OSError:  # as the stock _boot.py does: all files are gone
        vfs.VfsLfs2.mkfs(flash, progsize=256)
        vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/")
    os.chdir("/")
    sys.path[:] = ["", "/lib"]
    machine = Machine(bytes(int(number[i : i + 2], 16) for i in range(0, len(number), 2)))
    sys.modules["machine"] = machine
    sys.modules["sys"] = Sys(name)
    builtins.__import__ = chip_import
    names = {"__name__": "__main__"}
    for script in ("boot.py", "main.py"):
        try:
            with open(script) as file:
                code = file.read()
        except OSError:
            continue
        try:
            exec(compile(code, script, "exec"), {"__name__": "__main__"})
        except SystemExit as error:
            raise error
        except BaseException as error:
            sys.print_exception(error)
    friendly(names)


main(sys.argv[1], sys.argv[2], sys.argv[3])
