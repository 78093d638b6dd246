// Runs tests/wire/cases.py on the 32-bit MicroPython of npm. Arguments: micropython.mjs, cases.py, folder of mfwire.
import { readFileSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, cases, wire] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(module));
const mp = await loadMicroPython({ heapsize: 4 * 1024 * 1024, linebuffer: true, stdout: (line) => console.log(line) });
mp.FS.mkdir("/wire");
mp.FS.mkdir("/wire/mfwire");
for (const name of readdirSync(wire)) {
  if (name.endsWith(".py")) mp.FS.writeFile(`/wire/mfwire/${name}`, readFileSync(`${wire}/${name}`));
}
mp.FS.writeFile("/wire/cases.py", readFileSync(cases));
mp.runPython(`
import sys
sys.path.insert(0, "/wire")
print("bits", 32 if sys.maxsize < 2**31 else 64, "small", (1 << 30) - 1)
import cases
cases.main()
`);
