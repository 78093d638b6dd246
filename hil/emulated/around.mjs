// What stands around a chip: motors, the wire of their drivers, a card in its slot, and a converter.

import fs from 'node:fs';
import {Converter} from './converter.mjs';
import {SdCard} from './sd.mjs';
import {DriverWire} from './uart.mjs';

export class Around {
  constructor(machine) {
    this.machine = machine;
    this.wire = null;
    this.card = null;
    this.converters = [];
  }

  // The chip is a new one, at the same pins.
  power() {
    this.wire?.power();
    this.card?.power();
    for (const each of this.converters) each.power();
  }

  // What was said to the drivers, and is to be answered.
  said() {
    return this.wire?.take() ?? null;
  }

  answer(request) {
    const {machine} = this;
    switch (request.op) {
      case 'motor':
        machine.motors.set(request.step, request.motor);
        return {};
      case 'where':
        return {at: machine.motors.byStep.get(request.step).at};
      case 'stop': { // what a hard stop's driver was told, and since then: clocks of stalls, turns lost
        const {stop} = machine.motors.byStep.get(request.step);
        Object.assign(stop, request.set ?? {});
        return {told: stop.told ?? [], lost: stop.lost ?? 0, result: stop.result ?? stop.free};
      }
      case 'drivers':
        this.wire = new DriverWire(machine, request.uart);
        return {};
      case 'say':
        this.wire.answer(request.bytes);
        return {};
      case 'card': {
        if (request.image) this.card = new SdCard(machine, request.slot, fs.readFileSync(request.image));
        const {card} = this;
        Object.assign(card, request.set ?? {});
        if (request.inside === false) card.pull();
        if (request.inside === true) card.put();
        if (request.save) fs.writeFileSync(request.save, card.store);
        return {reads: card.reads, writes: card.writes, inside: card.inside};
      }
      case 'converter':
        if (request.pins) this.converters.push(new Converter(machine, request.pins));
        Object.assign(this.converters[request.number ?? this.converters.length - 1], request.set ?? {});
        return {};
      default:
        return {error: `no such request: ${request.op}`};
    }
  }
}
