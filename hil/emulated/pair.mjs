// A board and a probe: two RP2040s with their pins joined, one clock for both.
// node pair.mjs --bootrom FILE --flash FILE --probe FILE [--begin CLOCK] [--ppm ERROR]
// The board runs a short piece ahead; what its pins did reaches the probe on its own clock. What the
// probe does reaches the board at the end of such a piece, 1.6 us later at most.

import {Machine} from './machine.mjs';
import {image, option, serve} from './requests.mjs';
import {Wires} from './wires.mjs';

const PIECE = 128; // clocks
const BEHIND = 64; // more than an instruction or an interrupt takes

const begin = Number(option('begin') ?? 0);
const speed = 1 + Number(option('ppm') ?? 0) / 1e6;
const board = new Machine(image('flash'), begin);
const probe = new Machine(image('probe'), begin);
const machines = [board, probe];
const probeClock = (clock) => begin + Math.round((clock - begin) * speed);
const wires = new Wires(board, probe, probeClock);

function run(until, listening) {
  while (board.now < until) {
    board.run(Math.min(until, board.now + PIECE), false);
    probe.run(probeClock(board.now) - BEHIND, false);
    wires.settle();
    if (listening && listening.usb.heard.some((pieces) => pieces.length)) break;
  }
}

function answer(request) {
  const machine = machines[request.chip];
  if (request.op === 'wire') wires.add(request.wire);
  else if (request.op === 'run') run(request.until, request.listen ? machine : null);
  else return machine.answer(request);
  return machine.heard();
}

serve((request) => ({...answer(request), now: board.now}));
