"""The TMC2209's one-wire serial protocol and registers: bytes in, bytes out, no pins, no time.

After the TMC2209 data sheet, revision 1.09. A register is two 16-bit halves, high and low, so that
nothing here allocates.
"""

SYNC = 5  # chapter 4.1.1
MASTER = 0xFF  # address of replies
WRITE = 0x80
WRITE_BYTES = 8
READ_BYTES = 4
REPLY_BYTES = 8

# registers, chapter 5
GCONF = 0x00
GSTAT = 0x01
IFCNT = 0x02
IHOLD_IRUN = 0x10
TPOWERDOWN = 0x11
TPWMTHRS = 0x13
TCOOLTHRS = 0x14
SGTHRS = 0x40
CHOPCONF = 0x6C
DRV_STATUS = 0x6F
READABLE = (GCONF, CHOPCONF)  # of those that are written; IFCNT vouches for the others

# GSTAT, chapter 5.1
RESET = 1
DRIVER_ERROR = 2
PUMP_LOW = 4

# low half of DRV_STATUS, chapter 5.5.3
WARM = 1
HOT = 2
SHORT = 0x3C
OPEN = 0xC0


def crc8(data, count):
    """Chapter 4.2: polynomial x^8 + x^2 + x + 1, each byte from its lowest bit on."""
    crc = 0
    i = 0
    while i < count:
        byte = data[i]
        bit = 0
        while bit < 8:
            if (crc >> 7) ^ (byte & 1):
                crc = (crc << 1 ^ 7) & 255
            else:
                crc = crc << 1 & 255
            byte >>= 1
            bit += 1
        i += 1
    return crc


def put_read(out, address, register):
    """A read request into out (4 bytes; chapter 4.1.2)."""
    out[0] = SYNC
    out[1] = address
    out[2] = register
    out[3] = crc8(out, 3)


def put_write(out, address, register, high, low):
    """A write datagram into out (8 bytes; chapter 4.1.1)."""
    out[0] = SYNC
    out[1] = address
    out[2] = register | WRITE
    out[3] = high >> 8
    out[4] = high & 255
    out[5] = low >> 8
    out[6] = low & 255
    out[7] = crc8(out, 7)


def find_reply(data, count, register, scratch):
    """Where a whole reply of this register begins in data, behind echoes; -1: there is none.

    scratch: 8 bytes to look at it in.
    """
    at = 0
    while at + REPLY_BYTES <= count:
        if data[at] == SYNC and data[at + 1] == MASTER and data[at + 2] == register:
            i = 0
            while i < REPLY_BYTES:
                scratch[i] = data[at + i]
                i += 1
            if crc8(scratch, REPLY_BYTES - 1) == scratch[7]:
                return at
        at += 1
    return -1


def settings(item):
    """Registers of a checked driver of the configuration: a list of (register, high, low).

    item: run, hold (0 to 31, chapter 9), vsense, mres (0: 256 microsteps to 8: full steps), spread,
    stall (SGTHRS) and cool (TCOOLTHRS, chapter 11).
    """
    cool = item["cool"]
    return [
        (GSTAT, 0, RESET | DRIVER_ERROR | PUMP_LOW),  # a one clears
        # pdn_disable, mstep_reg_select, multistep_filt; en_SpreadCycle
        (GCONF, 0, 0x1C0 | item["spread"] << 2),
        # intpol, MRES, vsense, TBL 2; HSTRT 5, TOFF 3
        (CHOPCONF, 0x1001 | item["mres"] << 8 | item["vsense"] << 1, 0x53),
        (IHOLD_IRUN, 8, item["run"] << 8 | item["hold"]),  # IHOLDDELAY 8
        (TPOWERDOWN, 0, 20),
        (TPWMTHRS, 0, 0),
        (TCOOLTHRS, cool >> 16, cool & 0xFFFF),
        (SGTHRS, 0, item["stall"]),
    ]
