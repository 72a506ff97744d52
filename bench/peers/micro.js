// The workloads on Node: promises, async functions, generators, streams.
'use strict';
const { readFile } = require('fs/promises');
const { readFileSync } = require('fs');
const { Readable } = require('stream');
const { setTimeout: sleep } = require('timers/promises');

const NAP_MS = 10;
const FIRST_MS = 1000;
const SPREAD_MS = 1000;
const FILE_BYTES = 1024;
const PERMITS = 100;
const MINUTE_MS = 60000;

function check(what, is, wanted) {
  if (is !== wanted) {
    console.error(`${what}: ${is} instead of ${wanted}`);
    process.exit(1);
  }
}

const now = () => Number(process.hrtime.bigint());

async function yield_({ operations, size }) {
  let sum = 0;
  async function takeTurns(turns) {
    for (let i = 0; i < turns; i++) {
      sum++;
      await null;
    }
  }
  const start = now();
  const all = [];
  for (let i = 0; i < size; i++) all.push(takeTurns(operations / size));
  await Promise.all(all);
  const took = now() - start;
  check('turns', sum, operations);
  return took;
}

// An async function that has waited once: one that never waits is a call.
async function spawn({ operations }) {
  let sum = 0;
  async function addOne() {
    await null;
    sum++;
  }
  const start = now();
  for (let i = 0; i < operations; i++) await addOne();
  const took = now() - start;
  check('tasks', sum, operations);
  return took;
}

async function gather({ operations, size }) {
  let sum = 0;
  async function addOne() {
    await null;
    sum++;
  }
  const start = now();
  for (let done = 0; done < operations; done += size) {
    const all = new Array(size);
    for (let i = 0; i < size; i++) all[i] = addOne();
    await Promise.all(all);
  }
  const took = now() - start;
  check('tasks', sum, operations);
  return took;
}

async function timeout({ operations }) {
  let stopped = 0;
  const start = now();
  for (let i = 0; i < operations; i++) {
    clearTimeout(setTimeout(() => stopped--, MINUTE_MS));
    stopped++;
  }
  const took = now() - start;
  check('timers', stopped, operations);
  return took;
}

async function withTimeout(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// A waiter, and one who completes what it waits for.
async function rally({ operations }, timed) {
  let ball = null;
  let sum = 0;
  async function waitRounds() {
    for (let i = 0; i < operations; i++) {
      const promise = new Promise((resolve) => { ball = resolve; });
      sum += timed ? await withTimeout(promise, MINUTE_MS) : await promise;
    }
  }
  async function resolveRounds() {
    for (let i = 0; i < operations;) {
      if (ball !== null) {
        ball(1);
        ball = null;
        i++;
      }
      await null;
    }
  }
  const start = now();
  await Promise.all([waitRounds(), resolveRounds()]);
  const took = now() - start;
  check('waits', sum, operations);
  return took;
}

async function sumOf(items, operations) {
  let sum = 0;
  const start = now();
  for await (const item of items) sum += item;
  const took = now() - start;
  check('sum of items', sum, operations * (operations - 1) / 2);
  return took;
}

async function* count(operations) {
  for (let i = 0; i < operations; i++) yield i;
}

// From one async function to another without a buffer: an async generator.
const handoff = ({ operations }) => sumOf(count(operations), operations);

// With a buffer of 128: a stream of objects.
const queue = ({ operations }) => sumOf(
  Readable.from(count(operations), { highWaterMark: 128 }), operations);

// Node has none; as the packages that people use for it do it.
class Semaphore {
  constructor(permits) {
    this.permits = permits;
    this.waiting = [];
    this.next = 0;
  }

  acquire() {
    if (this.permits > 0) {
      this.permits--;
      return null;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release() {
    if (this.next < this.waiting.length) this.waiting[this.next++]();
    else this.permits++;
  }
}

async function semaphore({ operations, size }) {
  let inside = 0;
  let most = 0;
  let done = 0;
  async function work(slots) {
    await slots.acquire();
    inside++;
    most = Math.max(most, inside);
    await null;
    inside--;
    done++;
    slots.release();
  }
  const start = now();
  for (let begun = 0; begun < operations; begun += size) {
    const slots = new Semaphore(PERMITS);
    const all = new Array(size);
    for (let i = 0; i < size; i++) all[i] = work(slots);
    await Promise.all(all);
  }
  const took = now() - start;
  check('workers', done, operations);
  check('at once', most, PERMITS);
  return took;
}

async function nap({ size }) {
  let done = 0;
  const start = now();
  const all = [];
  for (let i = 0; i < size; i++) all.push(sleep(NAP_MS).then(() => done++));
  await Promise.all(all);
  const took = now() - start;
  check('naps', done, size);
  return took;
}

function memory(name) {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) * 1024;
}

async function sleepMillion(count) {
  let awake = 0;
  const start = now();
  async function sleepUntil(wakeMs) {
    await sleep(Math.max(0, wakeMs - (now() - start) / 1e6));
    awake++;
  }
  const all = new Array(count);
  for (let i = 0; i < count; i++) {
    all[i] = sleepUntil(FIRST_MS + i * 2654435761 % SPREAD_MS);
  }
  await Promise.all(all);
  check('awake', awake, count);
  return (now() - start) / 1e9 - (FIRST_MS + SPREAD_MS - 1) / 1e3;
}

async function million({ size }) {
  const before = memory('VmRSS');
  const beyond = await sleepMillion(size);
  console.log(`bytes ${Math.round((memory('VmHWM') - before) / size)}`);
  console.log(`s ${beyond.toFixed(4)}`);
  console.log(`again_s ${(await sleepMillion(size)).toFixed(4)}`);
}

async function files({ operations }) {
  const directory = process.env.BENCH_FILES;
  const start = now();
  const all = [];
  for (let i = 0; i < operations; i++) all.push(readFile(`${directory}/${i}`));
  const contents = await Promise.all(all);
  const took = now() - start;
  check('bytes', contents.reduce((sum, one) => sum + one.length, 0),
    operations * FILE_BYTES);
  return took;
}

const workloads = {
  yield: yield_,
  spawn,
  gather,
  timeout,
  wait: (job) => rally(job, false),
  'wait-timeout': (job) => rally(job, true),
  handoff,
  queue,
  semaphore,
  sleep: nap,
  files,
};

async function main([name, operations, size = '1']) {
  const job = { operations: Number(operations), size: Number(size) };
  if (name === 'million') return million(job);
  if (!(name in workloads)) throw new Error(`${name}: no such workload`);
  await workloads[name](job); // to warm up
  const took = await workloads[name](job);
  return console.log(name === 'sleep'
    ? `us ${(took / 1e3 - NAP_MS * 1e3).toFixed(1)}`
    : `ns ${(took / job.operations).toFixed(3)}`);
}

main(process.argv.slice(2));
