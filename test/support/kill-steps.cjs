/**
 * Loaded into a daemon (`node --require`): ends it, as by kill -9, right before a certain one of its steps.
 *
 * A step is a call of the main thread that changes something outside of the process: a file, a mount, a process. The
 * file `$DRYDOCK_STEPS` holds the number of the step. The counting begins with SIGUSR2, or with the program when the file
 * is there already; then the file is removed. Each step is noted in `$DRYDOCK_STEPS.log` before it is done. Threads are
 * not counted.
 */

const { isMainThread } = require("node:worker_threads");
const fs = require("node:fs");
const promises = require("node:fs/promises");
const children = require("node:child_process");
const Module = require("node:module");

const file = process.env.DRYDOCK_STEPS;
const { existsSync, openSync, readFileSync, unlinkSync, writeSync } = fs;
let notes = -1;
let counting = false;
let last = 0;
let count = 0;

function step(...what) {
  if (!counting) return;
  count++;
  writeSync(notes, `${what.map(String).join(" ").slice(0, 200)}\n`);
  if (count === last) process.kill(process.pid, "SIGKILL");
}

function watch(owner, name, describe = (...args) => args.filter((arg) => typeof arg === "string").join(" ")) {
  const original = owner[name];
  owner[name] = function (...args) {
    step(name, describe.apply(this, args));
    return original.apply(this, args);
  };
}

/** Kernel calls the engine makes through koffi. */
const KERNEL = /\b(mount|umount2|mknod|setns|unshare|sendto|syncfs|lsetxattr)\(/;

function watchedLibrary(library) {
  return new Proxy(library, {
    get(target, key) {
      if (key !== "func") return target[key];
      return (prototype) => {
        const original = target.func(prototype);
        const name = KERNEL.exec(prototype)?.[1];
        if (name === undefined) return original;
        const watched = (...args) => {
          step(name, ...args.filter((arg) => typeof arg === "string"));
          return original(...args);
        };
        watched.async = (...args) => {
          step(name);
          return original.async(...args);
        };
        return watched;
      };
    },
  });
}

if (isMainThread && file !== undefined && process.argv[2] === "-d") {
  const changing =
    "appendFile chmod chown copyFile cp link lutimes mkdir mkdtemp rename rm rmdir symlink truncate unlink utimes writeFile";
  for (const name of changing.split(" ")) watch(promises, name);
  watch(promises, "open", (path, flags) => `${path} ${flags}`);
  for (const name of ["mkdirSync", "unlinkSync", "renameSync", "rmSync", "writeFileSync"]) watch(fs, name);
  watch(children, "spawn", (command, args) => [command, ...(Array.isArray(args) ? args : [])].join(" "));
  promises.open("/dev/null").then(async (handle) => {
    const prototype = Object.getPrototypeOf(handle);
    for (const name of ["sync", "datasync", "writeFile", "write", "truncate"]) watch(prototype, name, () => "");
    await handle.close();
  });
  const load = Module._load;
  Module._load = function (request, ...rest) {
    const loaded = load.call(this, request, ...rest);
    if (request !== "koffi") return loaded;
    return new Proxy(loaded, {
      get(target, key) {
        if (key !== "load") return target[key];
        return (...args) => watchedLibrary(target.load(...args));
      },
    });
  };
  const begin = () => {
    last = Number(readFileSync(file, "utf8"));
    count = 0;
    if (notes < 0) notes = openSync(`${file}.log`, "a");
    counting = true;
    unlinkSync(file);
  };
  process.on("SIGUSR2", begin);
  if (existsSync(file)) begin();
}
