// A PL011 with its FIFOs, its bits' time and its interrupts (RP2040 datasheet 4.2), in place of the
// library's: that one sends at once and raises its transmit interrupt for ever, so a write never ends.
// Not modelled: parity, breaks, flow control, DMA; a byte is 8N1.

const DR = 0x00;
const FR = 0x18;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const BITS = 10; // of a byte on the wire
const TIMEOUT_BITS = 32; // of silence, then what stands in the FIFO is told
const DEEP = 32;
const LEVELS = [4, 8, 16, 24, 28]; // of IFLS, for 32 bytes
const RX = 1 << 4;
const TX = 1 << 5;
const RT = 1 << 6;
const OVERRUN = 1 << 10;
const UART = 2; // function of a pin

export class Uart {
  // heard(byte): the wire has got a byte. Its peripheral is taken over.
  constructor(chip, number, heard) {
    this.chip = chip;
    this.uart = chip.uart[number];
    this.heard = heard;
    this.sending = []; // the first one is on its way
    this.got = [];
    this.status = 0;
    this.levels = 0x12;
    this.pins = number ? [4, 5, 8, 9, 20, 21, 24, 25] : [0, 1, 12, 13, 16, 17, 28, 29];
    this.sent = chip.clock.createAlarm(() => this.byteSent());
    this.silent = chip.clock.createAlarm(() => this.raise(this.got.length ? RT : 0));
    const {uart} = this;
    const read = uart.readUint32.bind(uart);
    const write = uart.writeUint32.bind(uart);
    uart.checkInterrupts = () => this.raise(0);
    uart.readUint32 = (offset) => {
      if (offset === DR) return this.take();
      if (offset === FR) return this.flags();
      if (offset === IFLS) return this.levels;
      if (offset === RIS) return this.status;
      if (offset === MIS) return this.status & uart.interruptMask;
      return read(offset);
    };
    uart.writeUint32 = (offset, value) => {
      if (offset === DR) this.put(value & 255);
      else if (offset === IFLS) this.levels = value;
      else if (offset === ICR) {
        this.status &= ~value;
        this.raise(0);
      } else {
        write(offset, value);
        if (offset === IMSC) this.raise(0);
      }
    };
  }

  // Nanoseconds of so many bits.
  time(bits) {
    const {baudDivider} = this.uart;
    return Math.round((bits * 16e9 * baudDivider) / this.chip.clkPeri);
  }

  flags() {
    const idle = this.sending.length === 0;
    return (idle ? 0x80 : 0x08) | (this.got.length >= DEEP ? 0x40 : 0) |
      (this.sending.length > DEEP ? 0x20 : 0) | (this.got.length ? 0 : 0x10);
  }

  raise(bits) {
    const {uart} = this;
    this.status |= bits;
    this.chip.setInterrupt(uart.irq, !!(this.status & uart.interruptMask));
  }

  put(byte) {
    const {enabled, txEnabled, baudDivider} = this.uart;
    if (!enabled || !txEnabled || !baudDivider || this.sending.length > DEEP) return;
    this.sending.push(byte);
    if (this.sending.length - 1 > LEVELS[this.levels & 7]) this.status &= ~TX;
    if (this.sending.length === 1) this.sent.schedule(this.time(BITS));
    this.raise(0);
  }

  byteSent() {
    const byte = this.sending.shift();
    if (this.sending.length) this.sent.schedule(this.time(BITS));
    if (this.sending.length - 1 === LEVELS[this.levels & 7] || !this.sending.length) this.raise(TX);
    if (this.pins.some((pin) => !(pin & 1) && this.chip.gpio[pin].functionSelect === UART)) {
      this.heard(byte);
    }
  }

  // A byte has come from the wire.
  feed(byte) {
    const {enabled, rxEnabled} = this.uart;
    if (!enabled || !rxEnabled) return;
    if (!this.pins.some((pin) => pin & 1 && this.chip.gpio[pin].functionSelect === UART)) return;
    if (this.got.length >= DEEP) return this.raise(OVERRUN);
    this.got.push(byte);
    this.silent.schedule(this.time(TIMEOUT_BITS));
    this.raise(this.got.length >= LEVELS[(this.levels >> 3) & 7] ? RX : 0);
  }

  take() {
    const byte = this.got.shift() ?? 0;
    if (this.got.length < LEVELS[(this.levels >> 3) & 7]) this.status &= ~RX;
    if (!this.got.length) {
      this.status &= ~RT;
      this.silent.cancel();
    }
    this.raise(0);
    return byte;
  }
}

// The wire of the drivers: what the chip says it hears itself; when it falls silent whoever plays the
// drivers is asked (`said`), and answers with bytes to come.
export class DriverWire {
  constructor(machine, number) {
    this.machine = machine;
    this.number = number;
    this.said = []; // of the datagram that runs
    this.ended = null; // {bytes, clock} of one that is over
    this.power();
  }

  power() {
    const {chip} = this.machine;
    this.coming = [];
    this.uart = new Uart(chip, this.number, (byte) => this.heard(byte));
    this.next = chip.clock.createAlarm(() => this.arrive());
  }

  heard(byte) {
    this.uart.feed(byte);
    this.said.push(byte);
    if (this.uart.sending.length) return;
    this.ended = {bytes: this.said, clock: Math.round(this.machine.chip.clock.nanos / 8)};
    this.said = [];
    this.machine.stop = true;
  }

  // [clock, byte] in order of time.
  answer(bytes) {
    this.coming.push(...bytes);
    this.arrange();
  }

  arrange() {
    if (!this.coming.length) return;
    this.next.schedule(Math.max(0, this.coming[0][0] * 8 - this.machine.chip.clock.nanos));
  }

  arrive() {
    this.uart.feed(this.coming.shift()[1]);
    this.arrange();
  }

  take() {
    const ended = this.ended;
    this.ended = null;
    return ended;
  }
}
