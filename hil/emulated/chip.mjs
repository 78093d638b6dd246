// One RP2040, run by requests: node chip.mjs --uf2 FILE --bootrom FILE [--flash FILE] [--begin CLOCK].

import {Machine} from './machine.mjs';
import {image, option, serve} from './requests.mjs';

const machine = new Machine(image(), Number(option('begin') ?? 0));
serve((request) => ({...machine.answer(request), now: machine.now}));
