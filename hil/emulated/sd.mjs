// An SD card at the pins of a chip's SPI block, byte for byte, from the card's side (SD Physical Layer
// Simplified Specification: 4.2 initialisation, 4.5 CRC, 5.3 CSD, 7 SPI mode). Faults are parameters.
// Modelled: high capacity; its clock's limits; CRC-7 and CRC-16, which it refuses when wrong; answers
// two bytes late; what it does not know is an illegal command. Not modelled: bits, voltages, its wear.

const BLOCK = 512;
const SPI = 1; // function of a pin
const TOKEN = 0xfe;
const SLOW_HZ = 400e3; // until it is awake
const MOST_HZ = 25e6;
const IDLE = 1;
const ILLEGAL = 4;
const BAD_CRC = 8;
const BAD_PLACE = 0x40;

function crc7(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const out = (crc >> 6) ^ ((byte >> bit) & 1);
      crc = ((crc << 1) & 127) ^ (out ? 9 : 0);
    }
  }
  return crc;
}

function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const out = (crc >> 15) ^ ((byte >> bit) & 1);
      crc = ((crc << 1) & 0xffff) ^ (out ? 0x1021 : 0);
    }
  }
  return crc;
}

const withCrc = (bytes) => {
  const crc = crc16(bytes);
  return [...bytes, crc >> 8, crc & 255];
};

export class SdCard {
  // slot: {spi, sck, mosi, miso, cs}; store: a Buffer of whole blocks.
  constructor(machine, slot, store) {
    this.machine = machine;
    this.slot = slot;
    this.store = store;
    this.blocks = store.length / BLOCK;
    this.inside = true;
    this.late = 0; // clocks before the data of a reading
    this.lateEvery = 1; // so late is each such reading, the others are at once
    this.busy = 0; // clocks after each writing
    this.spoil = 0; // so many readings come with a flipped bit
    this.refuse = 0; // so many end in an error token; -1: all
    this.cut = -1; // bytes of data written until its power goes; -1: it stays
    this.reads = 0;
    this.writes = 0;
    this.power();
  }

  // A new chip is at the same pins; the card keeps its own power.
  power() {
    const {chip} = this.machine;
    this.spi = chip.spi[this.slot.spi];
    this.done = chip.clock.createAlarm(() => this.spi.completeTransmit(this.reply));
    this.spi.onTransmit = (value) => {
      this.reply = this.exchange(value);
      const hz = this.spi.clockFrequency || 1;
      this.done.schedule((this.spi.dataBits * 1e9) / hz);
    };
    chip.gpio[this.slot.cs].addListener((level) => level !== 0 && this.deselected());
    if (!this.ready) this.forget();
  }

  forget() {
    this.ready = false; // awake
    this.known = false; // CMD0 has been
    this.asked = 0; // how often ACMD41 has been
    this.checks = false;
    this.app = false;
    this.busyUntil = 0;
    this.then = 0; // clocks busy once the answer is out
    this.deselected();
  }

  deselected() {
    this.frame = [];
    this.answer = [];
    this.block = -1; // being written
    this.reading = -1; // the next one of CMD18
    this.data = null;
    this.dataFrom = 0;
  }

  pull() {
    this.inside = false;
    this.forget();
  }

  put() {
    this.inside = true;
    this.forget();
  }

  wired() {
    const {gpio} = this.machine.chip;
    const {sck, mosi, miso, cs} = this.slot;
    return [sck, mosi, miso].every((pin) => gpio[pin].functionSelect === SPI) && gpio[cs].value === 0;
  }

  // A byte to the card and one from it; MISO is pulled up where nobody drives it.
  exchange(out) {
    const {spi, machine} = this;
    const most = this.ready ? MOST_HZ : SLOW_HZ;
    if (!this.inside || !this.wired()) return 0xff;
    if (spi.clockFrequency > most || spi.spiMode !== 0 || spi.dataBits !== 8) return 0xff;
    if (machine.now < this.busyUntil) return 0;
    if (this.data) return this.receive(out);
    const back = this.next();
    if (this.frame.length || (out & 0xc0) === 0x40) {
      this.frame.push(out);
      if (this.frame.length === 6) {
        this.command(this.frame);
        this.frame = [];
      }
    }
    return back;
  }

  next() {
    if (!this.answer.length && this.reading >= 0) this.send(this.reading++);
    if (!this.answer.length) return 0xff;
    if (this.answer[0] === null) {
      if (this.machine.now < this.dataFrom) return 0xff;
      this.answer.shift();
    }
    const byte = this.answer.shift();
    if (this.then && !this.answer.length) {
      this.busyUntil = this.machine.now + this.then;
      this.then = 0;
    }
    return byte;
  }

  say(...bytes) {
    this.answer = [0xff, 0xff, ...bytes];
  }

  command(frame) {
    const number = frame[0] & 63;
    const argument = ((frame[1] << 24) | (frame[2] << 16) | (frame[3] << 8) | frame[4]) >>> 0;
    const app = this.app;
    const state = this.ready ? 0 : IDLE;
    this.app = false;
    if (!this.known && number !== 0) return; // still in its native mode
    const right = frame[5] === ((crc7(frame.slice(0, 5)) << 1) | 1);
    if (!right && (this.checks || number === 0 || number === 8)) {
      if (number !== 0) this.say(state | BAD_CRC);
      return;
    }
    if (app && number === 41) return this.wake(argument, state);
    switch (number) {
      case 0:
        this.forget();
        this.known = true;
        return this.say(IDLE);
      case 8:
        return this.say(state, 0, 0, 1, argument & 255);
      case 55:
        this.app = true;
        return this.say(state);
      case 58:
        return this.say(state, this.ready ? 0xc0 : 0, 0xff, 0x80, 0);
      case 59:
        this.checks = !!(argument & 1);
        return this.say(state);
    }
    if (!this.ready) return this.say(state | ILLEGAL);
    switch (number) {
      case 9:
        return this.say(0, 0xff, TOKEN, ...withCrc(this.csd()));
      case 12: {
        this.reading = -1;
        return this.say(0);
      }
      case 13:
        return this.say(0, 0);
      case 16:
        return this.say(argument === BLOCK ? 0 : BAD_PLACE);
      case 17:
      case 18:
        if (argument >= this.blocks) return this.say(BAD_PLACE);
        this.say(0);
        this.send(argument);
        if (number === 18) this.reading = argument + 1;
        return;
      case 24:
        if (argument >= this.blocks) return this.say(BAD_PLACE);
        this.say(0);
        this.block = argument;
        this.data = [];
        return;
      default:
        this.say(ILLEGAL);
    }
  }

  wake(argument, state) {
    this.asked++;
    if (argument & 0x40000000 && this.asked > 2) this.ready = true; // else it stays idle
    this.say(this.ready ? 0 : state);
  }

  csd() {
    const c = new Array(16).fill(0);
    const size = (this.blocks >> 10) - 1;
    c[0] = 0x40;
    c[7] = (size >> 16) & 63;
    c[8] = (size >> 8) & 255;
    c[9] = size & 255;
    return c;
  }

  // The data of a reading, behind what is to be said already.
  send(block) {
    this.reads++;
    if (block >= this.blocks || this.refuse) {
      if (this.refuse > 0) this.refuse--;
      this.answer.push(0xff, 0x08);
      this.reading = -1;
      return;
    }
    const data = withCrc(this.store.subarray(block * BLOCK, (block + 1) * BLOCK));
    if (this.spoil) {
      this.spoil--;
      data[(block * 7) % data.length] ^= 16;
    }
    const late = this.reads % this.lateEvery ? 0 : this.late;
    this.dataFrom = this.machine.now + late;
    this.answer.push(0xff, null, TOKEN, ...data);
  }

  // A byte of a writing: what is still to be said first, then the token, the data and their CRC.
  receive(byte) {
    if (this.answer.length) return this.next();
    const {data} = this;
    if (!data.length && byte !== TOKEN) return 0xff;
    data.push(byte);
    if (this.cut >= 0 && data.length > 1 && this.cut-- === 0) {
      this.torn();
      return 0xff;
    }
    if (data.length < BLOCK + 3) return 0xff;
    const whole = data.slice(1, BLOCK + 1);
    const good = !this.checks || crc16(whole) === ((data[BLOCK + 1] << 8) | data[BLOCK + 2]);
    if (good) this.store.set(whole, this.block * BLOCK);
    this.data = null;
    this.writes += good;
    this.answer = [good ? 0xe5 : 0xeb];
    this.then = this.busy;
    return 0xff;
  }

  // Its power goes in the middle of a block, which holds some new bytes and some old ones.
  torn() {
    this.store.set(this.data.slice(1, -1), this.block * BLOCK);
    this.cut = -1;
    this.pull();
  }
}
