"""The workloads of bench_sync.c on asyncio: sync.py NAME OPERATIONS prints
nanoseconds per operation."""

import asyncio
import sys
import time


async def lock(n):
    mutex = asyncio.Lock()
    start = time.perf_counter_ns()
    for _ in range(n):
        async with mutex:
            pass
    return time.perf_counter_ns() - start


async def contended(n):
    mutex = asyncio.Lock()

    async def work():
        for _ in range(n // 2):
            async with mutex:
                await asyncio.sleep(0)

    start = time.perf_counter_ns()
    await asyncio.gather(work(), work())
    return time.perf_counter_ns() - start


async def pass_items(n, size):
    queue = asyncio.Queue(size)

    async def produce():
        for i in range(n):
            await queue.put(i)

    start = time.perf_counter_ns()
    producer = asyncio.create_task(produce())
    total = 0
    for _ in range(n):
        total += await queue.get()
    took = time.perf_counter_ns() - start
    await producer
    assert total == n * (n - 1) // 2
    return took


async def rendezvous(n):
    return await pass_items(n, 1)


async def buffer(n):
    return await pass_items(n, 128)


async def pingpong(n):
    """There and back is one operation."""
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def give_back():
        for _ in range(n):
            await back.put(await there.get())

    start = time.perf_counter_ns()
    other = asyncio.create_task(give_back())
    for i in range(n):
        await there.put(i)
        assert await back.get() == i
    took = time.perf_counter_ns() - start
    await other
    return took


async def select(n, count):
    """What asyncio offers: a task for each queue, and asyncio.wait()."""
    queues = [asyncio.Queue(1) for _ in range(count)]

    async def feed():
        for i in range(n):
            await queues[i % count].put(i)

    start = time.perf_counter_ns()
    feeder = asyncio.create_task(feed())
    tasks = {asyncio.create_task(q.get()): q for q in queues}
    seen = 0
    while seen < n:
        done, _ = await asyncio.wait(tasks,
                                     return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            queue = tasks.pop(task)
            tasks[asyncio.create_task(queue.get())] = queue
            seen += 1
    took = time.perf_counter_ns() - start
    for task in tasks:
        task.cancel()
    await feeder
    return took


async def event(n):
    flag = asyncio.Event()
    tasks = [asyncio.create_task(flag.wait()) for _ in range(n)]
    await asyncio.sleep(0)
    start = time.perf_counter_ns()
    flag.set()
    await asyncio.wait(tasks)
    return time.perf_counter_ns() - start


def main():
    name, n = sys.argv[1], int(sys.argv[2])
    if name.startswith("select"):
        took = asyncio.run(select(n, int(name[len("select"):])))
    else:
        took = asyncio.run(globals()[name](n))
    print(f"{took / n:.2f}")


main()
