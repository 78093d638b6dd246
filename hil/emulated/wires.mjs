// Wires between the pins of a board and of a probe. A wire is one of
// {board, probe, pulled}: the probe listens, pulled: a resistor holds the line low against a weak pull;
// {board, probe, rest}: it drives, or lets go to that level;
// {probe, heard}: from the probe to itself;
// {probe, reset: true}: low holds the board in reset (RUN, or its USB power);
// {probe, adc, pull, tau_s}: PWM through a filter to a converter of the board; pull: the filter's
// resistor as a share of the board's pull-up, which lifts the voltage.

const PWM = 4; // function of a pin
const PULL_UP = 3; // state of a pin
const HZ = 125e6;

export class Wires {
  constructor(board, probe, probeClock) {
    this.board = board;
    this.probe = probe;
    this.listened = new Map(); // board's pin -> probe's
    this.heard = new Map(); // probe's pin -> wire
    this.driven = new Map(); // probe's pin -> wire
    this.analog = [];
    this.last = -Infinity;
    board.output = (clock, gpio, state) => {
      if (!this.listened.has(gpio) || state > 1) return;
      const at = Math.max(this.last, probeClock(clock));
      if (at <= probe.now) throw new Error(`the probe is at ${probe.now}, an edge came at ${at}`);
      this.last = at;
      probe.fed.push({clock: at, gpio: this.listened.get(gpio), level: state});
    };
    probe.output = (_clock, gpio, state) => {
      if (state > 1) this.weak(gpio, state);
      const wire = this.driven.get(gpio);
      if (!wire) return;
      if ('heard' in wire) probe.level(wire.heard, state > 1 ? 0 : state);
      else if (wire.reset) board.hold(state === 0);
      else board.level(wire.board, state > 1 ? wire.rest : state);
    };
  }

  add(wire) {
    if ('adc' in wire) this.analog.push({...wire, share: 0, at: this.probe.now});
    else if ('rest' in wire || wire.reset || 'heard' in wire) {
      this.driven.set(wire.probe, wire);
      if ('rest' in wire) this.board.level(wire.board, wire.rest);
    }
    else {
      this.listened.set(wire.board, wire.probe);
      this.heard.set(wire.probe, wire);
      this.probe.level(wire.probe, this.board.chip.gpio[wire.board].value === 1 ? 1 : 0);
    }
  }

  // A pin that the probe has let go: who drives its line, else the pull.
  weak(gpio, state) {
    const wire = this.heard.get(gpio);
    const driver = wire ? this.board.chip.gpio[wire.board].value : 2;
    if (driver < 2) this.probe.level(gpio, driver);
    else this.probe.level(gpio, state === PULL_UP && !(wire && wire.pulled) ? 1 : 0);
  }

  // Filters go on to where the probe is.
  settle() {
    for (const wire of this.analog) {
      const {pwm, gpio} = this.probe.chip;
      const pin = gpio[wire.probe];
      const slice = pwm.channels[(wire.probe >> 1) & 7];
      const driven = pin.functionSelect === PWM;
      const compare = wire.probe & 1 ? slice.cc >>> 16 : slice.cc & 0xffff;
      const duty = driven ? Math.min(1, compare / (slice.top + 1)) : 0;
      const goal = driven ? (duty + wire.pull) / (1 + wire.pull) : 1;
      const passed = (this.probe.now - wire.at) / HZ;
      wire.at = this.probe.now;
      wire.share += (goal - wire.share) * (1 - Math.exp(-passed / wire.tau_s));
      this.board.chip.adc.channelValues[wire.adc] = Math.round(wire.share * 4095);
    }
  }
}
