// The boot ROM's flash functions, done on the emulator's memory (RP2040 datasheet 2.8.3).
// The flash chip's own commands are not emulated, so the ROM's code for them would wait for ever.

const code = (text) => text.charCodeAt(0) | (text.charCodeAt(1) << 8);

export function flashHooks(chip) {
  const rom = Buffer.from(chip.bootrom.buffer);
  const find = (name) => {
    for (let at = rom.readUInt16LE(0x14); rom.readUInt16LE(at); at += 4) {
      if (rom.readUInt16LE(at) === code(name)) return rom.readUInt16LE(at + 2) & ~1;
    }
    throw new Error(`the boot ROM has no function ${name}`);
  };
  const registers = chip.core.registers;
  const nothing = () => {};
  const table = {
    IF: nothing, // connect_internal_flash
    EX: nothing, // flash_exit_xip
    FC: nothing, // flash_flush_cache
    CX: nothing, // flash_enter_cmd_xip
    RE: () => chip.flash.fill(0xff, registers[0], registers[0] + registers[1]),
    RP: () => {
      const [to, from, count] = registers;
      for (let i = 0; i < count; i++) chip.flash[to + i] &= chip.readUint8(from + i);
    },
  };
  return new Map(Object.entries(table).map(([name, act]) => [find(name), act]));
}
