// PIO in step with the processor: each state machine knows the clock of its next instruction, and all
// of them are brought forward, in order of time, whenever the processor has spent clocks.
// RP2040 datasheet chapter 3. Not modelled: clock dividers other than 1, the input synchroniser's
// two clocks (the same for every pin and every machine).

const IDLE = Infinity;

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
      this.patchMachine(machine);
    }
    for (const pio of chip.pio) this.patchBlock(pio);
  }

  time() {
    return this.inside ? this.at : this.clock.now;
  }

  wake(machine, next) {
    machine.next = next;
    if (next < this.earliest) this.earliest = next;
  }

  patchMachine(machine) {
    const check = machine.checkWait.bind(machine);
    machine.checkWait = () => {
      if (!machine.waiting || !machine.enabled) return;
      const delay = Math.max(0, machine.waitDelay);
      check();
      if (!machine.waiting) this.wake(machine, this.time() + 1 + delay);
    };
    const restart = machine.restart.bind(machine);
    machine.restart = () => {
      restart();
      machine.left = 0;
      machine.counting = false;
      if (machine.enabled) this.wake(machine, this.time() + 1);
    };
    const write = machine.writeUint32.bind(machine);
    machine.writeUint32 = (offset, value) => {
      this.settle(machine);
      const waiting = machine.waiting;
      write(offset, value);
      if (offset === 0x10 && machine.enabled && !machine.waiting && waiting) {
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
    if (!machine.counting) return;
    machine.counting = false;
    const now = this.time();
    if (machine.next > now) {
      machine.x = machine.next - now;
      machine.next = now;
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
    const opcode = pio.instructions[machine.pc];
    if (machine.x > 1 && opcode >>> 13 === 0 && ((opcode >> 5) & 7) === 2 &&
        (opcode & 31) === machine.pc) {
      const side = machine.sidesetCount;
      const delay = ((opcode >> 8) & 31) & ((1 << (5 - side)) - 1);
      if (delay === 0) {
        if (side) machine.setSideset(((opcode >> 8) & 31) >> (5 - side), side);
        if (pio.oldPinValues !== pio.pinValues) pio.checkChangedPins();
        machine.counting = true;
        machine.next = this.at + machine.x;
        machine.x = 0;
        return;
      }
    }
    const before = machine.cycles;
    machine.step();
    machine.next = machine.waiting ? IDLE : this.at + Math.max(1, machine.cycles - before);
    machine.cycles = 0;
    if (pio.oldPinValues !== pio.pinValues || pio.oldPinDirections !== pio.pinDirections) {
      pio.checkChangedPins();
    }
  }
}
