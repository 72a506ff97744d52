"""What programs of the differential test do with locks, conditions, events,
queues and barriers, on asyncio: a part of reference.py, the twin of sync_ops.c.
"""

import asyncio

# How the kinds of queues are numbered.
QUEUES = (asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue)


class Condition(asyncio.Condition):
    """With uvawait's promises to a task that is asked to end while it takes the
    lock back: it keeps its place among those who wait for it (in asyncio it
    goes to the end), and its notification (since 3.13 another gets that)."""

    async def wait(self):
        if not self.locked():
            raise RuntimeError("the lock is not held")
        self.release()
        woken = asyncio.get_running_loop().create_future()
        self._waiters.append(woken)
        asked = None
        try:
            await woken
        except asyncio.CancelledError as error:
            asked = error
        self._waiters.remove(woken)
        back = asyncio.ensure_future(self.acquire())
        while not back.done():
            try:
                await asyncio.shield(back)
            except asyncio.CancelledError as error:
                asked = error
        if asked is not None:
            raise asked
        return True

    def count(self):
        """How many wait and have not been notified."""
        return sum(not woken.done() for woken in self._waiters)


class Reference:
    """Is told by note(), wait() and tell() of the whole one."""

    def make_objects(self):
        program, objects = self.program, self.program.objects
        self.locks = [asyncio.Lock() for _ in range(program.count("locks"))]
        self.conditions = [Condition(self.locks[lock])
                           for lock in objects.get("conditions", [])]
        self.events = [asyncio.Event() for _ in range(program.count("events"))]
        numbers = iter(objects.get("queues", []))
        self.queues = [QUEUES[kind](capacity)
                       for kind, capacity in zip(numbers, numbers)]
        self.barriers = [asyncio.Barrier(parties)
                         for parties in objects.get("barriers", [])]
        self.owners = {}        # of locks
        self.disturbed = set()  # barriers of which a waiter was cut

    def final_objects(self):
        """Pairs of name and state for the end of the log."""
        for number, lock in enumerate(self.locks):
            yield f"lock{number}", int(lock.locked())
        for number, event in enumerate(self.events):
            yield f"event{number}", int(event.is_set())
        for number, queue in enumerate(self.queues):
            yield f"queue{number}", queue.qsize()
            yield f"unfinished{number}", queue._unfinished_tasks
        for number, barrier in enumerate(self.barriers):
            yield f"barrier{number}", barrier.n_waiting

    # ---- locks and conditions --------------------------------------------

    async def do_lock(self, me, operation):
        number, if_free = operation.arguments
        lock = self.locks[number]
        if if_free and lock.locked():
            await self.tell(me, operation, "pending")
            return None

        async def take():
            await lock.acquire()
            self.owners[number] = me

        try:
            await self.wait(me, operation, take())
            return await self.block(me, operation.body)
        finally:
            if self.owners.get(number) is me:
                self.owners[number] = None
                lock.release()

    def holds_lock_of(self, me, condition):
        lock = self.program.objects["conditions"][condition]
        return self.owners.get(lock) is me

    async def do_cond_wait(self, me, operation):
        (number,) = operation.arguments
        if not self.holds_lock_of(me, number):
            await self.tell(me, operation, "refused")
            return
        lock = self.program.objects["conditions"][number]

        async def wait():
            self.owners[lock] = None
            try:
                await self.conditions[number].wait()
            finally:
                self.owners[lock] = me

        await self.wait(me, operation, wait())

    # ---- events, queues, barriers: what waits ----------------------------

    async def do_event_wait(self, me, operation):
        event = self.events[operation.arguments[0]]
        await self.wait(me, operation, event.wait())

    async def do_put(self, me, operation):
        number, item = operation.arguments
        await self.wait(me, operation, self.queues[number].put(item))

    async def do_get(self, me, operation):
        await self.wait(me, operation,
                        self.queues[operation.arguments[0]].get())

    async def do_join(self, me, operation):
        await self.wait(me, operation,
                        self.queues[operation.arguments[0]].join())

    async def do_arrive(self, me, operation):
        """Its place: after a waiter has been cut, asyncio gives one twice."""
        (number,) = operation.arguments

        async def arrive():
            try:
                place = await self.barriers[number].wait()
            except asyncio.BrokenBarrierError:
                return "broken"
            except asyncio.CancelledError:
                self.disturbed.add(number)
                raise
            return 0 if number in self.disturbed else place

        await self.wait(me, operation, arrive())

    # ---- what does not wait ----------------------------------------------

    async def do_notify(self, me, operation):
        await self.notify(me, operation, operation.arguments[1])

    async def do_notify_all(self, me, operation):
        await self.notify(me, operation, 1 << 30)

    async def notify(self, me, operation, most):
        """Tells how many it wakes."""
        number = operation.arguments[0]
        condition = self.conditions[number]
        if not self.holds_lock_of(me, number):
            await self.tell(me, operation, "refused")
            return
        count = min(most, condition.count())
        condition.notify(most)
        await self.tell(me, operation, count)

    async def do_event_set(self, me, operation):
        self.events[operation.arguments[0]].set()
        await self.tell(me, operation, 0)

    async def do_event_clear(self, me, operation):
        self.events[operation.arguments[0]].clear()
        await self.tell(me, operation, 0)

    async def do_try_put(self, me, operation):
        number, item = operation.arguments
        code = 0
        try:
            self.queues[number].put_nowait(item)
        except asyncio.QueueFull:
            code = "pending"
        await self.tell(me, operation, code)

    async def do_try_get(self, me, operation):
        try:
            code = self.queues[operation.arguments[0]].get_nowait()
        except asyncio.QueueEmpty:
            code = "pending"
        await self.tell(me, operation, code)

    async def do_task_done(self, me, operation):
        code = 0
        try:
            self.queues[operation.arguments[0]].task_done()
        except ValueError:
            code = "range"
        await self.tell(me, operation, code)

    async def do_abort(self, me, operation):
        await self.barriers[operation.arguments[0]].abort()
        await self.tell(me, operation, 0)

    async def do_reset(self, me, operation):
        await self.barriers[operation.arguments[0]].reset()
        await self.tell(me, operation, 0)
