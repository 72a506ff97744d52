"""The workloads on asyncio, or, when PEER_LOOP in the environment is uvloop, on
uvloop."""

import asyncio
import os
import sys
import time

NAP_MS = 10
FIRST_MS = 1000
SPREAD_MS = 1000
FILE_BYTES = 1024
PERMITS = 100
MINUTE = 60

now = time.perf_counter_ns


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found} instead of {wanted}")


async def yield_(operations, size):
    total = 0

    async def take_turns(turns):
        nonlocal total
        for _ in range(turns):
            total += 1
            await asyncio.sleep(0)

    start = now()
    await asyncio.gather(*(take_turns(operations // size)
                           for _ in range(size)))
    took = now() - start
    check("turns", total, operations)
    return took


async def spawn(operations, _):
    total = 0

    async def add_one():
        nonlocal total
        total += 1

    start = now()
    for _ in range(operations):
        await asyncio.create_task(add_one())
    took = now() - start
    check("tasks", total, operations)
    return took


async def gather(operations, size):
    total = 0

    async def add_one():
        nonlocal total
        total += 1

    start = now()
    for _ in range(0, operations, size):
        await asyncio.gather(*(add_one() for _ in range(size)))
    took = now() - start
    check("tasks", total, operations)
    return took


async def timeout(operations, _):
    loop = asyncio.get_running_loop()
    stopped = 0
    start = now()
    for _ in range(operations):
        timer = loop.call_later(MINUTE, sys.exit, "a timer fired")
        timer.cancel()
        stopped += timer.cancelled()
    took = now() - start
    check("timers", stopped, operations)
    return took


async def rally(operations, timed):
    """A waiter, and one who completes what it waits for."""
    loop = asyncio.get_running_loop()
    ball = None
    total = 0

    async def wait_rounds():
        nonlocal ball, total
        for _ in range(operations):
            future = ball = loop.create_future()
            if timed:
                async with asyncio.timeout(MINUTE):
                    total += await future
            else:
                total += await future

    async def resolve_rounds():
        nonlocal ball
        done = 0
        while done < operations:
            if ball is not None:
                ball.set_result(1)
                ball = None
                done += 1
            await asyncio.sleep(0)

    start = now()
    await asyncio.gather(wait_rounds(), resolve_rounds())
    took = now() - start
    check("waits", total, operations)
    return took


async def wait(operations, _):
    return await rally(operations, False)


async def wait_timeout(operations, _):
    return await rally(operations, True)


async def pass_items(operations, capacity):
    queue = asyncio.Queue(capacity)

    async def produce():
        for i in range(operations):
            await queue.put(i)

    total = 0
    start = now()
    producer = asyncio.create_task(produce())
    for _ in range(operations):
        total += await queue.get()
    await producer
    took = now() - start
    check("sum of items", total, operations * (operations - 1) // 2)
    return took


async def handoff(operations, _):
    """asyncio has no queue without a place; one is the nearest."""
    return await pass_items(operations, 1)


async def queue_(operations, _):
    return await pass_items(operations, 128)


async def semaphore(operations, size):
    slots = asyncio.Semaphore(PERMITS)
    inside = most = done = 0

    async def work():
        nonlocal inside, most, done
        async with slots:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            done += 1

    start = now()
    for _ in range(0, operations, size):
        await asyncio.gather(*(work() for _ in range(size)))
    took = now() - start
    check("workers", done, operations)
    check("at once", most, PERMITS)
    return took


async def nap(_, size):
    done = 0

    async def take_nap():
        nonlocal done
        await asyncio.sleep(NAP_MS / 1e3)
        done += 1

    start = now()
    await asyncio.gather(*(take_nap() for _ in range(size)))
    took = now() - start
    check("naps", done, size)
    return took


def memory(name):
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


async def sleep_million(count):
    start = now()
    awake = 0

    async def sleep_until(wake_ms):
        nonlocal awake
        await asyncio.sleep(wake_ms / 1e3 - (now() - start) / 1e9)
        awake += 1

    tasks = [asyncio.create_task(
        sleep_until(FIRST_MS + i * 2654435761 % SPREAD_MS))
        for i in range(count)]
    await asyncio.gather(*tasks)
    check("awake", awake, count)
    return (now() - start) / 1e9 - (FIRST_MS + SPREAD_MS - 1) / 1e3


async def million(_, size):
    before = memory("VmRSS:")
    beyond = await sleep_million(size)
    print(f"bytes {(memory('VmHWM:') - before) / size:.0f}")
    print(f"s {beyond:.4f}")
    print(f"again_s {await sleep_million(size):.4f}")


def read_one(path):
    with open(path, "rb") as file:
        return len(file.read())


async def files(operations, _):
    directory = os.environ["BENCH_FILES"]
    start = now()
    sizes = await asyncio.gather(*(
        asyncio.to_thread(read_one, f"{directory}/{i}")
        for i in range(operations)))
    took = now() - start
    check("bytes", sum(sizes), operations * FILE_BYTES)
    return took


WORKLOADS = {
    "yield": yield_,
    "spawn": spawn,
    "gather": gather,
    "timeout": timeout,
    "wait": wait,
    "wait-timeout": wait_timeout,
    "handoff": handoff,
    "queue": queue_,
    "semaphore": semaphore,
    "sleep": nap,
    "million": million,
    "files": files,
}


async def main(name, operations, size):
    run = WORKLOADS[name]
    if name == "million":
        await million(operations, size)
        return
    await run(operations, size)  # to warm up
    took = await run(operations, size)
    if name == "sleep":
        print(f"us {took / 1e3 - NAP_MS * 1e3:.1f}")
    else:
        print(f"ns {took / operations:.3f}")


if os.environ.get("PEER_LOOP") == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main(sys.argv[1], int(sys.argv[2]),
                 int(sys.argv[3]) if len(sys.argv) > 3 else 1))
