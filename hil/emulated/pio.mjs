// PIO in step with the processor: each state machine knows the clock of its next instruction, and all
// of them are brought forward, in order of time, whenever the processor has spent clocks.
// RP2040 datasheet chapter 3. Not modelled: the fraction of a clock divider, the input synchroniser's
// two clocks (the same for every pin and every machine).

import {Polling} from './polling.mjs';

const IDLE = Infinity;
const DIVIDER = 0x00; // a state machine's registers, from its first
const SHIFTS = 0x08;
const INSTRUCTION = 0x10;
const JOIN_TX = 1 << 30;
const JOIN_RX = 1 << 31;

export class LockStep {
  constructor(chip, clock) {
    this.chip = chip;
    this.clock = clock; // {now}: clocks of the processor
    this.at = 0; // the clock of what is being executed
    this.inside = false;
    this.earliest = IDLE;
    this.machines = chip.pio.flatMap((pio) => pio.machines);
    for (const machine of this.machines) {
      machine.next = IDLE;
      machine.counting = false; // in a jmp x-- of its own, to be over at next
      machine.left = 0; // clocks that were left when it was switched off
      machine.divider = 1; // clocks of an instruction
      machine.phase = 0; // a clock at which it could execute one
      this.patchMachine(machine);
    }
    for (const pio of chip.pio) this.patchBlock(pio);
    this.polling = new Polling(this);
    for (const pin of chip.gpio) this.patchPin(pin);
  }

  // Who looks at pins has done so until now before one changes.
  patchPin(pin) {
    const set = pin.setInputValue.bind(pin);
    pin.setInputValue = (value) => {
      if (pin.rawInputValue !== value) this.polling.touch(this.time());
      set(value);
    };
  }

  time() {
    return this.inside ? this.at : this.clock.now;
  }

  // At that clock, or at the next one that a divided clock leaves to it.
  wake(machine, clock) {
    const {divider, phase} = machine;
    const next = divider === 1 ? clock : phase + Math.ceil((clock - phase) / divider) * divider;
    machine.next = next;
    if (next < this.earliest) this.earliest = next;
  }

  // What stands in both FIFOs is lost when their join is changed.
  join(machine) {
    const {shiftCtrl} = machine;
    const Fifo = machine.txFIFO.constructor;
    machine.txFIFO = new Fifo(shiftCtrl & JOIN_TX ? 8 : shiftCtrl & JOIN_RX ? 0 : 4);
    machine.rxFIFO = new Fifo(shiftCtrl & JOIN_RX ? 8 : shiftCtrl & JOIN_TX ? 0 : 4);
    machine.updateDMATx();
    machine.updateDMARx();
    machine.checkWait();
    machine.pio.checkInterrupts();
  }

  patchMachine(machine) {
    const check = machine.checkWait.bind(machine);
    machine.checkWait = () => {
      if (!machine.waiting || !machine.enabled) return;
      const delay = Math.max(0, machine.waitDelay);
      check();
      if (!machine.waiting) this.wake(machine, this.time() + 1 + delay * machine.divider);
    };
    const restart = machine.restart.bind(machine);
    machine.clkDivRestart = () => (machine.phase = this.time() + 1);
    machine.restart = () => {
      restart();
      machine.left = 0;
      machine.counting = false;
      if (machine.enabled) this.wake(machine, this.time() + 1);
    };
    const write = machine.writeUint32.bind(machine);
    machine.writeUint32 = (offset, value) => {
      this.settle(machine);
      const {waiting, shiftCtrl} = machine;
      write(offset, value);
      if (offset === DIVIDER) {
        machine.divider = machine.clockDivInt || 0x10000;
        if (machine.next !== IDLE) this.wake(machine, machine.next);
      }
      if (offset === SHIFTS && (shiftCtrl ^ machine.shiftCtrl) & (JOIN_TX | JOIN_RX)) {
        this.join(machine);
      }
      if (offset === INSTRUCTION && machine.enabled && !machine.waiting && waiting) {
        this.wake(machine, this.time() + 1);
      }
      machine.pio.checkChangedPins();
    };
  }

  patchBlock(pio) {
    pio.run = () => {};
    const write = pio.writeUint32.bind(pio);
    pio.writeUint32 = (offset, value) => {
      if (offset !== 0) return write(offset, value);
      const before = pio.machines.map((machine) => machine.enabled);
      for (const machine of pio.machines) this.settle(machine);
      write(offset, value);
      pio.machines.forEach((machine, i) => {
        if (before[i] && !machine.enabled) {
          machine.left = machine.waiting ? 0 : Math.max(0, machine.next - this.clock.now);
          machine.next = IDLE;
        } else if (!before[i] && machine.enabled) {
          if (machine.waiting) machine.checkWait();
          if (!machine.waiting) this.wake(machine, this.clock.now + Math.max(1, machine.left));
          machine.left = 0;
        }
      });
    };
  }

  // A countdown that somebody looks into or stops: x is what it would be now.
  settle(machine) {
    if (machine.asleep) this.polling.touch(this.time());
    if (!machine.counting) return;
    machine.counting = false;
    const now = this.time();
    if (machine.next > now) {
      machine.x = Math.floor((machine.next - now) / machine.divider);
      machine.next -= machine.x * machine.divider;
    }
  }

  run(until) {
    this.inside = true;
    for (;;) {
      let first = null;
      let when = IDLE;
      for (const machine of this.machines) {
        if (machine.next < when) {
          when = machine.next;
          first = machine;
        }
      }
      if (when > until) {
        this.earliest = when;
        break;
      }
      this.at = when;
      this.step(first);
    }
    this.inside = false;
  }

  step(machine) {
    const pio = machine.pio;
    machine.counting = false;
    if (machine.asleep) this.polling.rouse(machine, this.at);
    else if (machine.pc === machine.wrapBottom && !machine.waiting && this.polling.top(machine)) return;
    const opcode = pio.instructions[machine.pc];
    this.polling.executed(machine, opcode);
    if (machine.x > 1 && opcode >>> 13 === 0 && ((opcode >> 5) & 7) === 2 &&
        (opcode & 31) === machine.pc) {
      const side = machine.sidesetCount;
      const delay = ((opcode >> 8) & 31) & ((1 << (5 - side)) - 1);
      if (delay === 0) {
        if (side) machine.setSideset(((opcode >> 8) & 31) >> (5 - side), side);
        if (pio.oldPinValues !== pio.pinValues) pio.checkChangedPins();
        machine.counting = true;
        machine.next = this.at + machine.x * machine.divider;
        machine.x = 0;
        return;
      }
    }
    const before = machine.cycles;
    machine.step();
    const spent = Math.max(1, machine.cycles - before) * machine.divider;
    machine.next = machine.waiting ? IDLE : this.at + spent;
    machine.cycles = 0;
    if (pio.oldPinValues !== pio.pinValues || pio.oldPinDirections !== pio.pinDirections) {
      pio.checkChangedPins();
    }
  }
}
