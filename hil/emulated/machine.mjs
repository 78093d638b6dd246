// One RP2040 at 125 MHz: processor, PIO in step, USB host and pins. docs/emulated-rig.md says what is
// modelled.

import {ConsoleLogger, LogLevel, RP2040} from 'rp2040js';
import {Around} from './around.mjs';
import {flashHooks} from './flash.mjs';
import {Motors} from './motors.mjs';
import {LockStep} from './pio.mjs';
import {bootrom} from './requests.mjs';
import {UsbHost} from './usb_host.mjs';

const NANOS = 8; // of a clock
const CHAN_ABORT = 0x444; // of the DMA
const CORE1_STACK = 0x20040000; // nobody uses it: MicroPython runs one core
const BRANCH_TO_ITSELF = 0xe7fe;

export class Machine {
  // begin: clocks; late enough, and its counters wrap
  constructor(flash, begin) {
    this.now = begin;
    this.idle = 0;
    this.edges = [];
    this.fed = []; // changes of its pins to come: {clock, gpio, level}, in order
    this.held = false; // in reset
    this.output = () => {}; // (clock, gpio, state): who else wants to know of an output
    this.pins = [];
    this.stop = false; // somebody outside is to be asked, before more time passes
    this.motors = new Motors(this);
    this.around = new Around(this);
    this.power(flash);
  }

  // A new chip with this flash; the clocks count on.
  power(flash) {
    // its pins let go: what was driven high falls (the chip's own pull-down, the board's)
    this.chip?.gpio.forEach((pin, i) => {
      if (pin.value !== 1) return;
      this.edges.push(this.now, i);
      this.output(this.now, i, 0);
    });
    const chip = (this.chip = new RP2040());
    chip.logger = new ConsoleLogger(LogLevel.Error);
    chip.loadBootrom(bootrom());
    chip.flash.set(flash);
    chip.clock.nanosCounter = this.now * NANOS;
    this.hooks = flashHooks(chip);
    this.pio = new LockStep(chip, this);
    this.usb = new UsbHost(chip);
    chip.gpio.forEach((pin, i) => pin.addListener((value) => this.changed(pin, i, value)));
    const watchdog = chip.peripherals[0x40058];
    watchdog.onWatchdogTrigger = () => {
      this.again = watchdog.reason;
      watchdog.alarm.enable = false; // run out, it would call for ever within one clock
    };
    this.again = null;
    const read = chip.dma.readUint32.bind(chip.dma); // an abort is over at once
    chip.dma.readUint32 = (offset) => (offset === CHAN_ABORT ? 0 : read(offset));
    for (const [i, level] of this.pins.entries()) {
      if (level !== undefined) chip.gpio[i].setInputValue(level);
    }
    this.motors.power();
    this.around.power();
    chip.core.PC = 0x10000000;
  }

  changed(pin, i, value) {
    const level = value === 1 ? 1 : 0;
    this.output(this.pio.time(), i, value);
    if (value > 1) return;
    if (pin.rawInputValue !== !!level) pin.setInputValue(!!level); // what goes out is read back
    this.edges.push(this.pio.time(), i | (level << 7));
    this.motors.stepped(i, level);
  }

  level(gpio, level) {
    this.pins[gpio] = !!level;
    this.chip.gpio[gpio].setInputValue(!!level);
  }

  // Changes of pins that others make, each on its clock.
  feed(clock) {
    while (this.fed.length && this.fed[0].clock <= clock) {
      const {clock: when, gpio, level} = this.fed.shift();
      if (this.pio.earliest < when) this.pio.run(when - 1);
      this.pio.at = when;
      this.pio.inside = true;
      this.level(gpio, level);
      this.pio.inside = false;
    }
  }

  // In reset: nothing is driven, and the host sees it go.
  hold(held) {
    if (this.held === held) return;
    this.held = held;
    this.power(this.chip.flash);
  }

  // To that clock, or to where the host has heard something.
  run(until, listen) {
    if (this.held) {
      this.fed = [];
      this.now = Math.max(this.now, until);
      return;
    }
    const {core, clock} = this.chip;
    const pio = this.pio;
    while (this.now < until) {
      let spent;
      if (core.waiting) {
        const alarm = clock.nextAlarm ? Math.ceil(clock.nanosToNextAlarm / NANOS) : 1000;
        const fed = this.fed.length ? this.fed[0].clock : Infinity;
        spent = Math.max(1, Math.min(alarm, Math.min(until, fed, pio.earliest) - this.now));
        this.idle += spent;
      } else {
        if (core.PC < 0x4000 && this.hooks.has(core.PC)) {
          this.hooks.get(core.PC)();
          core.PC = core.LR & ~1;
          continue;
        }
        spent = core.executeInstruction();
      }
      this.now += spent;
      if (this.fed.length) this.feed(this.now);
      if (pio.earliest <= this.now) pio.run(this.now);
      clock.tick(spent * NANOS);
      if (this.again !== null) {
        const flash = this.chip.flash;
        const reason = this.again;
        this.power(flash);
        this.chip.peripherals[0x40058].reason = reason;
        return this.run(until, listen);
      }
      if (this.stop) {
        this.stop = false;
        break;
      }
      if (listen && (this.usb.heard[0].length || this.usb.heard[1].length)) break;
    }
  }

  // What the host has got: open ports, bytes of each.
  heard() {
    return {ports: this.usb.ready ? this.usb.ports.length : 0,
      heard: [0, 1].map((i) => this.usb.take(i).toString('base64')), said: this.around.said()};
  }

  answer(request) {
    switch (request.op) {
      case 'run':
        this.run(request.until, request.listen);
        return this.heard();
      case 'feed':
        for (const [clock, gpio, level] of request.changes) this.fed.push({clock, gpio, level});
        return {};
      case 'write':
        this.usb.write(request.port, Buffer.from(request.data, 'base64'));
        return {};
      case 'edges': {
        const out = Buffer.from(new Float64Array(this.edges).buffer);
        this.edges = [];
        return {edges: out.toString('base64')};
      }
      case 'pin':
        this.level(request.gpio, request.level);
        return {};
      case 'adc':
        this.chip.adc.channelValues[request.channel] = request.value;
        return {};
      case 'cut':
        this.usb.cut = request.cut;
        if (!request.cut) this.usb.push();
        return {};
      case 'memory': {
        const out = Buffer.alloc(request.length);
        for (let i = 0; i < request.length; i++) out[i] = this.chip.readUint8(request.address + i);
        return {data: out.toString('base64')};
      }
      case 'poke':
        this.chip.writeUint32(request.address, request.value);
        return {};
      case 'hang': // the program goes no further; without interrupts the processor does nothing more
        this.chip.writeUint16(CORE1_STACK, BRANCH_TO_ITSELF);
        this.chip.core.waiting = false;
        this.chip.core.PM = !request.interrupts;
        this.chip.core.PC = CORE1_STACK;
        return {};
      case 'reset':
        this.power(this.chip.flash);
        return {};
      case 'stats':
        return {idle: this.idle, pc: this.chip.core.PC, registers: [...this.chip.core.registers]};
      default:
        return this.around.answer(request);
    }
  }
}
