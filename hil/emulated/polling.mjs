// State machines that only look at pins, over and over: nothing happens until a pin does, so they
// are not executed but put to sleep, and brought up to the clock when somebody touches them.
// A loop is known by its second pass: all registers as before, or but for x, counted down by
// the same number. No instruction is taken for granted; what a pass did, it is taken to do again.

const PULL_PUSH = 4; // opcodes that move words, or set a flag
const IRQ_ETC = 6;
const WAKE_ABOVE = 16; // of x: near zero a loop that counts may go another way

const registers = (machine) => [machine.y, machine.inputShiftReg, machine.inputShiftCount,
  machine.outputShiftReg, machine.outputShiftCount];

export class Polling {
  // lock: the LockStep whose machines they are.
  constructor(lock) {
    this.lock = lock;
    this.sleeping = new Set();
    this.changes = 0; // of pins
    for (const machine of lock.machines) machine.pass = null;
  }

  // Before a machine executes the instruction at its wrap target: has the pass before changed anything?
  top(machine) {
    const {lock} = this;
    const now = registers(machine);
    const before = machine.pass;
    machine.pass = {at: lock.at, now, x: machine.x, moved: false, changes: this.changes};
    if (!before || before.moved || before.changes !== this.changes ||
        before.now.some((value, i) => value !== now[i])) return false;
    const down = before.x - machine.x;
    if (down < 0 || (down && machine.x < WAKE_ABOVE * down)) return false;
    const period = lock.at - before.at;
    machine.asleep = {at: lock.at, period, down};
    const passes = down ? Math.floor(machine.x / down) - WAKE_ABOVE / 2 : Infinity;
    machine.next = lock.at + passes * period;
    this.sleeping.add(machine);
    return true;
  }

  // A word or a flag was moved in this pass.
  executed(machine, opcode) {
    const kind = opcode >>> 13;
    if (machine.pass && (kind === PULL_PUSH || kind === IRQ_ETC)) machine.pass.moved = true;
  }

  // As it is at the beginning of the pass that holds that clock.
  rouse(machine, clock) {
    const {at, period, down} = machine.asleep;
    const passes = Math.max(0, Math.floor((clock - at) / period));
    machine.asleep = null;
    machine.pass = null;
    machine.x -= passes * down;
    machine.next = at + passes * period;
    this.sleeping.delete(machine);
  }

  // Something that they look at changes at this clock: all have executed what comes before it.
  touch(clock) {
    if (this.sleeping.size) this.rouseAll(clock);
    this.changes++; // passes that have begun before may have seen what was
  }

  rouseAll(clock) {
    const {lock} = this;
    const {at, inside} = lock;
    for (const machine of [...this.sleeping]) {
      this.rouse(machine, clock);
      lock.inside = true;
      while (machine.next < clock) {
        lock.at = machine.next;
        lock.step(machine);
      }
      if (machine.next < lock.earliest) lock.earliest = machine.next;
    }
    lock.at = at;
    lock.inside = inside;
  }
}
