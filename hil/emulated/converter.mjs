// A thermocouple converter (MAX31855, MAX6675) at three pins: CS low latches a frame, each falling edge
// of SCK shifts it. The frame is given by whoever plays the world (hil/thermocouples.py).

export class Converter {
  // pins: {sck, so, cs}
  constructor(machine, pins) {
    this.machine = machine;
    this.pins = pins;
    this.frame = 0; // what a conversion that ends now makes, of so many bits
    this.bits = 32;
    this.conversion = 12_500_000; // clocks; it begins when CS goes high
    this.told = 0; // of the last one that ended
    this.ended = -Infinity;
    this.reads = 0;
    this.power();
  }

  power() {
    const {gpio} = this.machine.chip;
    const {sck, cs} = this.pins;
    this.left = -1;
    this.show(1);
    gpio[cs].addListener((value, old) => {
      if (value === 0 && old !== 0) this.begin();
      if (value !== 0 && old === 0) this.end();
    });
    gpio[sck].addListener((value, old) => {
      if (value === 0 && old === 1 && gpio[cs].value === 0) this.shift();
    });
  }

  show(level) {
    this.machine.level(this.pins.so, level);
  }

  begin() {
    this.left = this.bits - 1;
    if (this.machine.now - this.ended >= this.conversion) this.told = this.frame;
    this.show(this.bit());
  }

  bit() {
    return this.left < 0 ? 0 : Math.floor(this.told / 2 ** this.left) & 1;
  }

  shift() {
    this.left--;
    this.show(this.bit());
  }

  end() {
    this.reads++;
    this.ended = this.machine.now;
    this.show(1);
  }
}
