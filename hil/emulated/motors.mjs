// Motors on STEP and DIR pins: carriages that close switches, and hard stops that a driver may feel.

const HZ = 125e6;
const DRIVER_HZ = 12e6; // clock of a TMC2209, in which TSTEP counts
const STANDSTILL = 2 ** 20 / DRIVER_HZ; // s without a step, then no stall is told

export class Motors {
  // machine: pins and time.
  constructor(machine) {
    this.machine = machine;
    this.byStep = new Map(); // STEP pin -> {direction, up, at, switches, stop}
  }

  // at: counts its carriage has gone. stop: {at, below, period, micro, gpio, active, free}, a hard stop:
  // period: counts of an electrical turn (4 full steps); micro: counts of a full step.
  set(step, motor) {
    motor.field = motor.at;
    this.byStep.set(step, motor);
    for (const each of motor.switches) this.close(each, motor.at);
    if (motor.stop) this.tell(motor.stop, false);
  }

  // A new chip: its clock has none of our alarms.
  power() {
    for (const {stop} of this.byStep.values()) if (stop) stop.alarm = null;
  }

  stepped(pin, level) {
    const motor = this.byStep.get(pin);
    if (!motor || !level) return;
    motor.field += this.machine.chip.gpio[motor.direction].value === 1 ? motor.up : -motor.up;
    motor.at = motor.field;
    if (motor.stop) this.against(motor);
    for (const each of motor.switches) this.close(each, motor.at);
  }

  // A limit switch: closed below or above a count.
  close(each, at) {
    const closed = each.below ? at < each.at : at >= each.at;
    if (closed === each.closed) return;
    each.closed = closed;
    this.machine.level(each.gpio, closed ? each.active : 1 - each.active);
  }

  // The rotor stays at its stop while the field goes on; half an electrical turn later it falls back by
  // a whole one, and that is lost. Once a full step the driver measures how far it lags (SG_RESULT).
  against(motor) {
    const {stop} = motor;
    const sign = stop.below ? -1 : 1;
    let lag = sign * (motor.field - stop.at);
    if (lag > stop.period / 2) {
      motor.field -= sign * stop.period;
      stop.lost = (stop.lost ?? 0) + 1;
      lag -= stop.period;
    }
    if (lag > 0) motor.at = stop.at;
    const now = this.machine.pio.time();
    stop.tstep = ((now - (stop.last ?? -Infinity)) / HZ) * DRIVER_HZ * (stop.micro / 256);
    stop.last = now;
    stop.count = ((stop.count ?? 0) + 1) % stop.micro;
    if (stop.count === 0) {
      stop.result = Math.max(0, Math.round(stop.free * (1 - Math.max(0, lag) / stop.micro)));
    }
    this.judge(stop);
    this.quiet(stop);
  }

  judge(stop) {
    const fast = stop.tstep <= stop.cool;
    this.tell(stop, stop.finds && fast && stop.result <= 2 * stop.threshold);
  }

  // Nothing is told at standstill.
  quiet(stop) {
    stop.alarm ??= this.machine.chip.clock.createAlarm(() => this.tell(stop, false));
    stop.alarm.schedule(STANDSTILL * 1e9);
  }

  tell(stop, stalls) {
    if (stop.stalls === stalls) return;
    stop.stalls = stalls;
    if (stalls) (stop.told ??= []).push(this.machine.pio.time());
    this.machine.level(stop.gpio, stalls ? stop.active : 1 - stop.active);
  }
}
