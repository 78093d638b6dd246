// The host's end of the cable: enumerates by descriptors, opens every CDC function, moves bytes.

const SET_ADDRESS = [0x00, 5, 1, 0, 0, 0, 0, 0];
const SET_CONFIGURATION = [0x00, 9, 1, 0, 0, 0, 0, 0];
const PACKET = 64;
const CONTROL_US = 300; // between two control transfers
const PACKET_US = 55; // about 19 bulk packets in a frame of a millisecond

const descriptor = (type, length) => [0x80, 6, 0, type, 0, 0, length & 255, length >> 8];

// Numbers and endpoints of the CDC functions in a configuration, in its order.
export function functions(bytes) {
  const found = [];
  let communication = -1;
  let current = null;
  for (let at = 0; at + 1 < bytes.length && bytes[at] >= 2; at += bytes[at]) {
    if (bytes[at + 1] === 4) {
      current = null;
      if (bytes[at + 5] === 2) communication = bytes[at + 2];
      if (bytes[at + 5] === 10) {
        current = {communication, in: -1, out: -1};
        found.push(current);
      }
    } else if (bytes[at + 1] === 5 && current && (bytes[at + 3] & 3) === 2) {
      if (bytes[at + 2] & 0x80) current.in = bytes[at + 2] & 15;
      else current.out = bytes[at + 2] & 15;
    }
  }
  return found;
}

export class UsbHost {
  constructor(chip) {
    this.usb = chip.usbCtrl;
    this.usb.writeDelayMicroseconds = PACKET_US;
    this.cut = false;
    this.after = null; // what comes when the transfer before has settled
    this.pause = chip.clock.createAlarm(() => this.after && this.after());
    this.heard = [[], []]; // pieces from the device, by port
    this.forget();
    this.usb.onUSBEnabled = () => this.plug();
    this.usb.onResetReceived = () => this.enumerate();
    this.usb.onEndpointWrite = (endpoint, data) => this.fromDevice(endpoint, data);
    this.usb.onEndpointRead = (endpoint, size) => this.armed(endpoint, size);
    this.order();
    const write = this.usb.writeUint32.bind(this.usb);
    let pulled = false;
    this.usb.writeUint32 = (offset, value) => {
      write(offset, value);
      if (offset === 0x4c) {
        const up = !!(value & 0x10000); // SIE_CTRL PULLUP_EN
        if (up && !pulled) this.plug();
        if (!up && pulled) this.forget();
        pulled = up;
      }
    };
  }

  // Of two buffers that are armed at once the emulator hands over the second one first.
  order() {
    const {usb} = this;
    let batch = null;
    for (const alarm of usb.endpointWriteAlarms) {
      const schedule = alarm.schedule.bind(alarm);
      alarm.schedule = (data, delay) =>
        batch ? batch.push(() => schedule(data, delay)) : schedule(data, delay);
    }
    const updated = usb.DPRAMUpdated.bind(usb);
    usb.DPRAMUpdated = (offset, value) => {
      batch = [];
      updated(offset, value);
      const pieces = batch.reverse();
      batch = null;
      for (const piece of pieces) piece();
    };
  }

  forget() {
    this.after = null;
    this.ports = [];
    this.ready = false;
    this.queue = []; // control transfers to do
    this.control = null; // the one being done
    this.waiting = new Map(); // endpoint -> bytes it can take
    this.out = [[], []]; // bytes for the device, by port
  }

  plug() {
    this.forget();
    this.usb.resetDevice();
  }

  enumerate() {
    this.forget();
    this.ask(SET_ADDRESS);
    this.ask(descriptor(1, 18));
    this.ask(descriptor(2, 9), (head) => {
      this.ask(descriptor(2, head[2] | (head[3] << 8)), (all) => this.configure(all));
    });
    this.next();
  }

  configure(bytes) {
    this.ports = functions(bytes);
    this.ask(SET_CONFIGURATION);
    for (const port of this.ports) {
      const coding = [0, 0xc2, 1, 0, 0, 0, 8];
      this.ask([0x21, 0x20, 0, 0, port.communication, 0, 7, 0], null, coding);
      this.ask([0x21, 0x22, 3, 0, port.communication, 0, 0, 0]);
    }
    this.queue.push({done: () => { this.ready = true; this.push(); }});
  }

  ask(setup, done = null, data = null) {
    this.queue.push({setup, done, data, got: [], wanted: setup[6] | (setup[7] << 8)});
  }

  next() {
    this.control = this.queue.shift() ?? null;
    if (!this.control) return;
    if (!this.control.setup) {
      const {done} = this.control;
      this.control = null;
      done();
      this.next();
    } else {
      this.usb.sendSetupPacket(new Uint8Array(this.control.setup));
    }
  }

  finish() {
    const {done, got} = this.control;
    this.control = null;
    this.after = () => {
      this.after = null;
      if (done) done(got);
      this.next();
    };
    this.pause.schedule(CONTROL_US * 1000);
  }

  fromDevice(endpoint, data) {
    if (endpoint === 0) {
      if (!this.control) return;
      if (!(this.control.setup[0] & 0x80)) {
        if (data.length === 0) this.finish();
        return;
      }
      this.control.got.push(...data);
      if (data.length < PACKET || this.control.got.length >= this.control.wanted) {
        this.control.over = true;
        if (this.waiting.has(0)) this.status();
      }
      return;
    }
    const port = this.ports.findIndex((each) => each.in === endpoint);
    if (port >= 0 && !this.cut) this.heard[port].push(Buffer.from(data));
  }

  status() {
    this.waiting.delete(0);
    this.usb.endpointReadDone(0, new Uint8Array(0));
    this.finish();
  }

  armed(endpoint, size) {
    this.waiting.set(endpoint, size);
    if (endpoint === 0) {
      if (this.control && this.control.over) this.status();
      else if (this.control && this.control.data) {
        this.waiting.delete(0);
        const data = this.control.data;
        this.control.data = null;
        this.usb.endpointReadDone(0, new Uint8Array(data));
      }
      return;
    }
    this.push();
  }

  write(port, data) {
    this.out[port].push(...data);
    this.push();
  }

  push() {
    if (!this.ready || this.cut) return;
    this.ports.forEach((port, i) => {
      const queue = this.out[i];
      if (!queue || !queue.length || !this.waiting.has(port.out)) return;
      const size = Math.min(PACKET, this.waiting.get(port.out), queue.length);
      this.waiting.delete(port.out);
      this.usb.endpointReadDone(port.out, new Uint8Array(queue.splice(0, size)), PACKET_US);
    });
  }

  take(port) {
    const data = Buffer.concat(this.heard[port]);
    this.heard[port] = [];
    return data;
  }
}
