// Requests: a JSON line on stdin, a JSON line as the answer; and the files that options name.

import fs from 'node:fs';

export const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : process.argv[at + 1];
};

export function bootrom() {
  const rom = fs.readFileSync(option('bootrom'));
  return new Uint32Array(rom.buffer.slice(rom.byteOffset, rom.byteOffset + 16384));
}

// The whole flash of a chip: the file that option `flash` names, or what the UF2 fills.
export function image(name = 'flash') {
  if (option(name)) return fs.readFileSync(option(name));
  const file = fs.readFileSync(option('uf2'));
  const flash = new Uint8Array(2 << 20).fill(0xff);
  for (let at = 0; at + 512 <= file.length; at += 512) {
    const to = file.readUInt32LE(at + 12) - 0x10000000;
    const count = file.readUInt32LE(at + 16);
    if (to >= 0 && to + count <= flash.length) flash.set(file.subarray(at + 32, at + 32 + count), to);
  }
  return flash;
}

// answer: a request to its answer.
export function serve(answer) {
  const piece = Buffer.alloc(1 << 16);
  let rest = '';
  for (;;) {
    let count;
    try {
      count = fs.readSync(0, piece);
    } catch (error) {
      if (error.code === 'EAGAIN') continue;
      if (error.code === 'EOF') break;
      throw error;
    }
    if (!count) break;
    rest += piece.toString('latin1', 0, count);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const text = JSON.stringify(answer(JSON.parse(rest.slice(0, end))));
      const out = Buffer.from(`${text}\n`);
      for (let sent = 0; sent < out.length; ) sent += fs.writeSync(1, out, sent);
      rest = rest.slice(end + 1);
    }
  }
}
