"""Runs programs of the differential test on CPython's asyncio.

The twin of ops.c: an operation is a method here and a function there. What it
returns, or raises, is what the log says of it.
"""

import asyncio
import sys

import reference_sync
from clock import Loop
from language import FIRST_FUTURE, Operation

# Operations whose result is not compared when the task is asked to end.
HIDDEN = {"settle", "cond_wait"}

# When the final state is logged: after all that can happen (interpret.c).
THE_END = 10 ** 10 + 1

# As libuv counts them, for sorting.
NAMED = {"cancelled": -125, "timeout": -110}


class Failure(Exception):
    """A task's own failure, with its code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Group(asyncio.TaskGroup):
    """Before 3.13 a child that fails while its group is being left leaves a
    request standing in the parent for ever: taken back here, as 3.13 does by
    itself."""

    async def __aexit__(self, kind, error, trace):
        asked = self._parent_cancel_requested
        try:
            return await super().__aexit__(kind, error, trace)
        finally:
            if (sys.version_info < (3, 13) and not asked
                    and self._parent_cancel_requested):
                self._parent_task.uncancel()


async def wait_for(future, limit):
    """asyncio.wait_for() as it is since 3.12; that of 3.11 loses the result of
    what ends while it is being cancelled, and gives up waiting when cancelled a
    second time."""
    if limit <= 0 or sys.version_info >= (3, 12):
        return await asyncio.wait_for(future, limit)
    async with asyncio.timeout(limit):
        return await future


class Task:
    """A task that runs."""

    __slots__ = ("id", "task")

    def __init__(self, number):
        self.id = number
        self.task = asyncio.current_task()

    async def meet_request(self):
        """A task that was asked to end, and was not told so, is told now: here
        a request is delivered once, in uvawait until it is taken back."""
        if self.task.cancelling() == 0:
            return
        if self.task._must_cancel:  # it asked itself
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                pass
        raise asyncio.CancelledError


class Reference(reference_sync.Reference):
    """One program, run once."""

    def __init__(self, program):
        self.program = program
        self.loop = Loop()
        self.lines = []
        self.awaitables = {}
        self.scopes = {}
        self.groups = {}
        self.semaphores = []

    # ---- running ---------------------------------------------------------

    def run(self):
        """The lines of the log."""
        loop = self.loop
        for number in range(self.program.count("futures")):
            future = loop.create_future()
            self.awaitables[FIRST_FUTURE + number] = future
        self.semaphores = [
            asyncio.Semaphore(permits)
            for permits in self.program.objects.get("semaphores", [])]
        self.make_objects()
        loop.call_at(1, self.start, 0)
        loop.run_until_idle()
        self.log_final_state()
        lines, self.lines = self.lines, []
        self.end_the_rest()
        return lines

    def start(self, number):
        self.awaitables[number] = self.loop.create_task(self.body(number))

    def end_the_rest(self):
        while True:
            pending = [future for future in self.awaitables.values()
                       if not future.done()]
            if not pending:
                break
            for future in pending:
                future.cancel()
            self.loop.run_until_idle()
        for future in self.awaitables.values():
            if not future.cancelled():
                future.exception()  # somebody has looked

    def log_final_state(self):
        for number in sorted(self.awaitables):
            future = self.awaitables[number]
            self.lines.append((THE_END, number, "final", outcome(future)))
        for number, semaphore in enumerate(self.semaphores):
            self.lines.append((THE_END, 0, f"semaphore{number}",
                               semaphore._value))
        self.lines.extend((THE_END, 0, name, state)
                          for name, state in self.final_objects())

    def log(self, me, event, code):
        self.lines.append((self.loop.now, me.id, event, code))

    def note(self, me, operation, code):
        self.log(me, f"{operation.number}:{operation.name}", code)

    async def body(self, number):
        me = Task(number)
        self.log(me, "begins", 0)
        try:
            value = await self.block(me, self.program.tasks[number])
        except asyncio.CancelledError:
            self.log(me, "ends", "cancelled")
            raise
        except Failure as failure:
            self.log(me, "ends", failure.code)
            raise
        value = value if value is not None else 0
        self.log(me, "ends", value)
        return value

    async def block(self, me, operations):
        """Runs operations; the value of a "return", or None."""
        for operation in operations:
            value = await operation.run(self, me, operation)
            if value is not None:
                return value
        return None

    # ---- blocks ----------------------------------------------------------

    async def do_with(self, me, operation):
        number, delay = operation.arguments
        semaphore = self.semaphores[number]
        await self.wait(me, operation, semaphore.acquire())
        done = False
        try:
            value = await self.block(me, operation.body)
            done = value is None
        finally:
            if done:
                semaphore.release()
            else:
                self.loop.call_later(delay, semaphore.release)
        return value

    async def do_timeout(self, me, operation):
        number, limit = operation.arguments
        what = "cancelled"
        try:
            async with asyncio.timeout(limit) as scope:
                self.scopes[number] = scope
                value = await self.block(me, operation.body)
            what = 0 if value is None else "return"
        except TimeoutError:
            what, value = "timeout", None
        except Failure:
            what = "fail"
            raise
        finally:
            self.scopes.pop(number, None)
            self.note(me, operation, what)
        if what == "timeout":
            await me.meet_request()
        return value

    async def do_group(self, me, operation):
        number, mode = operation.arguments
        failures = []
        what = "cancelled"
        value = None
        try:
            async with Group() as group:
                self.groups[number] = group
                value = await self.block(me, operation.body)
            what = 0 if value is None else "return"
        except asyncio.CancelledError:
            self.note(me, operation, "cut" if me.task.cancelling() else what)
            raise
        except BaseExceptionGroup as errors:
            failures = sorted(error.code for error in errors.exceptions)
            what = ",".join(map(str, failures))
            value = None
        if me.task.cancelling() and not failures:
            what = "cut"
        self.note(me, operation, what)
        await me.meet_request()
        if failures and mode:
            raise Failure(failures[0])
        return value

    async def do_try(self, me, operation):
        (mode,) = operation.arguments
        try:
            return await self.block(me, operation.body)
        except asyncio.CancelledError:
            pass
        count = me.task.cancelling()
        while me.task.uncancel() > 0 and not mode & 2:
            pass
        self.note(me, operation, count)
        await me.meet_request()
        value = await self.block(me, operation.handler)
        if value is None and mode & 1:
            raise asyncio.CancelledError
        return value

    # ---- operations that wait --------------------------------------------

    async def wait(self, me, operation, awaitable):
        """Awaits and logs what it came to."""
        try:
            code = await awaitable
        except asyncio.CancelledError:
            code = "cancelled"
        except TimeoutError:
            code = "timeout"
        except Failure as failure:
            code = failure.code
        if operation.name in HIDDEN and me.task.cancelling():
            code = "cut"
        elif isinstance(code, list):
            code = ",".join(str(value_of(item)) for item in code)
        elif code is None or code is True:
            code = 0
        self.note(me, operation, code)
        await me.meet_request()

    def chosen(self, numbers):
        return [self.awaitables[number] for number in numbers
                if number in self.awaitables]

    async def do_sleep(self, me, operation):
        await self.wait(me, operation, asyncio.sleep(operation.arguments[0]))

    async def do_yield(self, me, operation):
        await self.wait(me, operation, asyncio.sleep(0))

    async def do_await(self, me, operation):
        await self.wait_one(me, operation, lambda future: future)

    async def do_shield(self, me, operation):
        await self.wait_one(me, operation, asyncio.shield)

    async def do_wait_for(self, me, operation):
        limit = operation.arguments[1]
        await self.wait_one(me, operation,
                            lambda future: wait_for(future, limit))

    async def do_shield_for(self, me, operation):
        limit = operation.arguments[1]
        await self.wait_one(
            me, operation,
            lambda future: wait_for(asyncio.shield(future), limit))

    async def wait_one(self, me, operation, how):
        future = self.awaitables.get(operation.arguments[0])
        if future is None:
            self.note(me, operation, "none")
        else:
            await self.wait(me, operation, how(future))

    async def do_gather(self, me, operation):
        futures = self.chosen(operation.arguments)
        await self.wait(me, operation, asyncio.gather(*futures))

    async def do_settle(self, me, operation):
        futures = self.chosen(operation.arguments)
        await self.wait(me, operation,
                        asyncio.gather(*futures, return_exceptions=True))

    async def do_wait(self, me, operation):
        mode, limit, *numbers = operation.arguments
        futures = self.chosen(numbers)
        if not futures:
            self.note(me, operation, "none")
            return

        async def count_done():
            done, _ = await asyncio.wait(
                futures, timeout=limit if limit >= 0 else None,
                return_when=(asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED,
                             asyncio.FIRST_EXCEPTION)[mode])
            return len(done)

        await self.wait(me, operation, count_done())

    async def do_as_completed(self, me, operation):
        limit, *numbers = operation.arguments
        futures = self.chosen(numbers)

        async def take_all():
            arrivals = []
            for next_one in asyncio.as_completed(
                    futures, timeout=limit if limit >= 0 else None):
                try:
                    code = await next_one
                except TimeoutError:
                    code = "timeout"
                except Failure as failure:
                    code = failure.code
                except asyncio.CancelledError:
                    if me.task.cancelling():
                        raise
                    code = "cancelled"
                arrivals.append((self.loop.now, NAMED.get(code, code), code))
            return [code for _, _, code in sorted(arrivals)]

        await self.wait(me, operation, take_all())

    async def do_acquire(self, me, operation):
        semaphore = self.semaphores[operation.arguments[0]]
        await self.wait(me, operation, semaphore.acquire())

    # ---- operations that do not wait -------------------------------------

    async def tell(self, me, operation, code):
        self.note(me, operation, code)
        await me.meet_request()

    async def do_spawn(self, me, operation):
        self.start(operation.arguments[0])
        await self.tell(me, operation, 0)

    async def do_child(self, me, operation):
        number, child = operation.arguments
        group = self.groups.get(number)
        if group is None:
            self.note(me, operation, "none")
            return
        body = self.body(child)
        code = 0
        try:
            self.awaitables[child] = group.create_task(body)
        except RuntimeError:
            body.close()
            code = "refused"
        await self.tell(me, operation, code)

    async def do_cancel(self, me, operation):
        future = self.awaitables.get(operation.arguments[0])
        if future is None:
            self.note(me, operation, "none")
        else:
            await self.tell(me, operation, int(future.cancel()))

    async def do_poll(self, me, operation):
        future = self.awaitables.get(operation.arguments[0])
        if future is None:
            self.note(me, operation, "none")
        else:
            await self.tell(me, operation, outcome(future))

    async def do_resolve(self, me, operation):
        number, value = operation.arguments
        await self.complete(me, operation,
                            self.awaitables[number].set_result, value)

    async def do_break(self, me, operation):
        number, code = operation.arguments
        await self.complete(me, operation,
                            self.awaitables[number].set_exception,
                            Failure(code))

    async def complete(self, me, operation, how, what):
        code = 0
        try:
            how(what)
        except asyncio.InvalidStateError:
            code = "already"
        await self.tell(me, operation, code)

    async def do_release(self, me, operation):
        self.semaphores[operation.arguments[0]].release()
        await self.tell(me, operation, 0)

    async def do_reschedule(self, me, operation):
        number, limit = operation.arguments
        scope = self.scopes.get(number)
        if scope is None:
            self.note(me, operation, "none")
            return
        scope.reschedule(self.loop.now + limit)
        await self.tell(me, operation, 0)

    async def do_return(self, me, operation):
        self.note(me, operation, 0)
        return operation.arguments[0]

    async def do_fail(self, me, operation):
        self.note(me, operation, 0)
        raise Failure(operation.arguments[0])

    async def do_give_up(self, me, operation):
        self.note(me, operation, 0)
        raise asyncio.CancelledError


def value_of(item):
    """What a place in the list of a gather says."""
    if isinstance(item, asyncio.CancelledError):
        return "cancelled"
    return item.code if isinstance(item, Failure) else item


def outcome(future):
    if not future.done():
        return "pending"
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    return future.result() if error is None else error.code


def sleep_of(delay, number):
    pause = Operation("sleep", delay)
    pause.number = number
    pause.run = Reference.do_sleep
    return pause


def prepare(program):
    """Binds the operations to their methods and numbers them as the text does:
    every line of a task counts."""

    def walk(operations, number):
        ready = []
        for operation in operations:
            operation = operation.copy()
            number += 1
            operation.number = number
            operation.run = getattr(Reference, "do_" + operation.name)
            ready.append(operation)
            if operation.body is not None:
                lead = operation.lead
                lead = []
                if operation.lead:
                    number += 1
                    lead.append(sleep_of(operation.lead, number))
                body, number = walk(operation.body, number)
                operation.body = lead + body
                if operation.handler is not None:
                    number += 1
                    operation.handler, number = walk(operation.handler, number)
                number += 1
            if operation.pause:
                number += 1
                ready.append(sleep_of(operation.pause, number))
        return ready, number

    return program.copy([walk(operations, 0)[0]
                         for operations in program.tasks])


def run(program):
    """The log of a program, and whether two timers fell on one moment."""
    reference = Reference(prepare(program))
    lines = reference.run()
    return lines, reference.loop.ties > 0
