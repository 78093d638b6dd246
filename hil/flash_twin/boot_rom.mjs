// The RP2040's own boot ROM on rp2040js, as USB sees it: control and bulk transfers by request.
// node boot_rom.mjs EMULATOR BOOTROM FLASH: a JSON line on stdin, a JSON line as the answer.
// Modelled here: the flash chip behind the SSI, and the USB buffers as the hardware uses them
// (RP2040 datasheet 4.1.2.5, two buffers an endpoint). All else is the emulator's.

import fs from 'node:fs';
import {pathToFileURL} from 'node:url';
import {serve} from '../emulated/requests.mjs';

const [emulator, romFile, flashFile] = process.argv.slice(2);
const {RP2040, BasePeripheral, ConsoleLogger, LogLevel} = await import(pathToFileURL(emulator).href);

const STALL = 1 << 11;
const AVAILABLE = 1 << 10;
const FULL = 1 << 15;
const SELECT = 1 << 12;
const LENGTH = 0x3ff;
const SETUP_RECEIVED = 1 << 17;
const PATIENCE = 60_000_000; // instructions for one transfer

// A serial NOR flash: write enable, program, erase, read, status.
class Flash {
  constructor(data) {
    this.data = data;
    this.operations = 0;
    this.bytes = [];
    this.enabled = false;
    this.left = -1; // operations until the power goes within one
    this.share = 0; // of 256: how many bits had changed by then
    this.seed = 1;
  }

  // Bytes become what they are to be; the power may go within.
  change(at, bytes) {
    const cut = this.left-- === 0;
    bytes.forEach((byte, i) => {
      let mask = 255;
      if (cut) {
        mask = 0;
        for (let bit = 0; bit < 8; bit++) {
          this.seed = (Math.imul(this.seed, 1103515245) + 12345) >>> 0;
          if ((this.seed >>> 16 & 255) < this.share) mask |= 1 << bit;
        }
      }
      this.data[at + i] = (this.data[at + i] & ~mask) | (byte & mask);
    });
    if (cut) chip.gone = true;
  }

  exchange(byte) {
    this.bytes.push(byte);
    const n = this.bytes.length;
    if (this.bytes[0] === 0x03 && n > 4) return this.data[(this.address() + n - 5) % this.data.length];
    if (this.bytes[0] === 0x4b && n > 5) return 0x10 + n - 6; // its number: 10 11 .. 17
    return this.bytes[0] === 0x05 ? 0 : 0xff;
  }

  address() {
    return ((this.bytes[1] << 16) | (this.bytes[2] << 8) | this.bytes[3]) % this.data.length;
  }

  deselect() {
    const [command] = this.bytes;
    if (command === 0x06) this.enabled = true;
    if ((command === 0x02 || command === 0x20) && this.enabled && this.bytes.length >= 4) {
      this.operations++;
      this.enabled = false;
      const at = this.address();
      if (command === 0x20) this.change(at & ~4095, new Uint8Array(4096).fill(0xff));
      else this.change(at, this.bytes.slice(4).map((byte, i) => byte & this.data[at + i]));
    }
    this.bytes = [];
  }
}

class Registers extends BasePeripheral {
  constructor(chip, name, read = {}, written = () => {}) {
    super(chip, name);
    this.values = new Map();
    this.read = read;
    this.written = written;
  }

  readUint32(offset) {
    return this.read[offset] ? this.read[offset]() : this.values.get(offset) ?? 0;
  }

  writeUint32(offset, value) {
    this.values.set(offset, value);
    this.written(offset, value);
  }
}

const flash = new Flash(new Uint8Array(fs.readFileSync(flashFile)));
let chip;
let usb;
let select;
let handle;

function power(held) {
  chip = new RP2040();
  chip.logger = new ConsoleLogger(LogLevel.Error);
  const rom = fs.readFileSync(romFile);
  // Built with another compiler the ROM's source is a little longer than the 16 kB of the chip's.
  chip.bootrom = new Uint32Array(8192);
  new Uint8Array(chip.bootrom.buffer).set(rom.subarray(0, 32768));
  chip.flash.set(flash.data);
  usb = chip.usbCtrl;
  select = new Map();
  handle = 0;
  flash.bytes = [];
  const received = [];
  const selected = () => (pads.values.get(0x0c) >> 8 & 3) === 2;
  const pads = new Registers(chip, 'IO_QSPI', {}, (offset) => {
    if (offset === 0x0c && !selected() && flash.bytes.length) flash.deselect();
  });
  chip.peripherals[0x40018] = pads;
  chip.peripherals[0x18000] = new Registers(chip, 'SSI', {
    0x20: () => 0,
    0x24: () => received.length,
    0x28: () => 6 | (received.length ? 8 : 0),
    0x60: () => received.shift() ?? 0,
  }, (offset, value) => {
    if (offset === 0x08 && value === 0) received.length = 0;
    if (offset === 0x60) received.push(selected() ? flash.exchange(value & 255) : 0xff);
  });
  chip.peripherals[0x40064] = new Registers(chip, 'VREG_AND_CHIP_RESET'); // no rescue was asked for
  usb.DPRAMUpdated = () => {};
  const read = usb.readUint32.bind(usb);
  usb.readUint32 = (offset) => (offset === 0x5c ? handle : offset === 0x64 ? 0xffffffff : read(offset));
  const pins = chip.sio.readUint32.bind(chip.sio);
  chip.sio.readUint32 = (offset) => (offset === 8 ? (held ? 0 : 2) : pins(offset)); // GPIO_HI_IN: CSn
  chip.core.reset();
  let pulled = false;
  const pullup = () => !!(usb.sieCtrl & 0x10000) || pulled;
  const write = usb.writeUint32.bind(usb);
  usb.writeUint32 = (offset, value) => {
    write(offset, value);
    if (offset === 0x4c && value & 0x10000) pulled = true;
  };
  const watchdog = chip.peripherals[0x40058];
  chip.gone = false;
  chip.started = false;
  watchdog.onWatchdogTrigger = () => { chip.gone = true; };
  if (!until(() => chip.started || pullup(), 120_000_000)) return 'nothing';
  if (chip.started) return 'other';
  chip.waits = true; // for USB: what runs in RAM now was sent by the host
  usb.resetDevice();
  run(4_000_000);
  control([0x00, 5, 1, 0, 0, 0, 0, 0]);
  control([0x00, 9, 1, 0, 0, 0, 0, 0]);
  return 'boot loader';
}

function run(count) {
  const {core, clock} = chip;
  for (let i = 0; i < count && !chip.gone && !chip.started; i++) {
    if (!chip.waits && core.PC >>> 28 === 2) chip.started = true; // in RAM: the second boot stage
    if (core.waiting) clock.tick(1000);
    else clock.tick(core.executeInstruction() * 8);
  }
}

function until(done, patience = PATIENCE) {
  for (let spent = 0; spent < patience; spent += 200) {
    if (done()) return true;
    if (chip.gone) return false;
    run(200);
  }
  return done();
}

// One transaction with a buffer that the chip has armed; null: stalled.
function packet(endpoint, out, data) {
  const at = 0x80 + 8 * endpoint + (out ? 4 : 0);
  const view = chip.usbDPRAMView;
  const key = at;
  const stalled = () => view.getUint32(at, true) & STALL;
  const half = () => {
    if (view.getUint32(at, true) & SELECT) {
      select.set(key, 0);
      view.setUint32(at, view.getUint32(at, true) & ~SELECT, true);
    }
    return at + 2 * (select.get(key) ?? 0);
  };
  const ready = () => stalled() || view.getUint16(half(), true) & AVAILABLE;
  if (!until(ready)) throw new Error(chip.gone ? 'gone' : 'timeout');
  if (stalled()) return null;
  const here = half();
  const which = (here - at) / 2;
  const word = view.getUint16(here, true);
  const control = endpoint ? view.getUint32(8 * endpoint + (out ? 4 : 0), true) : 0;
  const buffer = (endpoint ? control & 0xffc0 : 0x100) + 64 * which;
  let taken;
  if (out) {
    chip.usbDPRAM.set(data, buffer);
    view.setUint16(here, (word & ~(AVAILABLE | LENGTH)) | FULL | data.length, true);
  } else {
    taken = chip.usbDPRAM.slice(buffer, buffer + (word & LENGTH));
    view.setUint16(here, word & ~(AVAILABLE | FULL), true);
  }
  const bit = 1 << (2 * endpoint + (out ? 1 : 0));
  handle = which ? handle | bit : handle & ~bit;
  if (control & (1 << 30)) select.set(key, which ^ 1);
  usb.buffStatus |= bit;
  usb.buffStatusUpdated();
  until(() => !(usb.buffStatus & bit), 1_000_000);
  return out ? data.length : taken;
}

function control(setup) {
  const view = chip.usbDPRAMView;
  chip.usbDPRAM.set(setup);
  for (const at of [0x80, 0x84]) view.setUint32(at, view.getUint32(at, true) & ~STALL, true);
  usb.sieStatus |= SETUP_RECEIVED;
  usb.sieStatusUpdated();
  until(() => !(usb.sieStatus & SETUP_RECEIVED), 1_000_000);
  const wanted = setup[6] | (setup[7] << 8);
  const got = [];
  if (setup[0] & 0x80 && wanted) {
    for (;;) {
      const piece = packet(0, false);
      if (piece === null) return null;
      got.push(...piece);
      if (piece.length < 64 || got.length >= wanted) break;
    }
    packet(0, true, []);
    return got;
  }
  return packet(0, false) === null ? null : got;
}

function answer(request) {
  switch (request.op) {
    case 'power':
      return {state: power(request.held)};
    case 'control': {
      const got = control(request.setup);
      return got === null ? {stall: true} : {data: Buffer.from(got).toString('base64')};
    }
    case 'out': {
      const data = Buffer.from(request.data, 'base64');
      for (let at = 0; at === 0 || at < data.length; at += 64) {
        if (packet(request.endpoint, true, data.subarray(at, at + 64)) === null) return {stall: true};
      }
      return {};
    }
    case 'in': {
      const got = [];
      for (;;) {
        const piece = packet(request.endpoint, false);
        if (piece === null) return {stall: true};
        got.push(...piece);
        if (piece.length < 64 || got.length >= request.size) break;
      }
      return {data: Buffer.from(got).toString('base64')};
    }
    case 'rest': // half a second and more, for a reboot that was asked for
      run(80_000_000);
      return {gone: chip.gone};
    case 'cut':
      Object.assign(flash, {left: request.left, share: request.share, seed: request.seed});
      return {};
    case 'flash':
      fs.writeFileSync(flashFile, flash.data);
      return {operations: flash.operations};
    default:
      return {error: `no such request: ${request.op}`};
  }
}

serve((request) => {
  try {
    return answer(request);
  } catch (error) {
    return {error: error.message};
  }
});
