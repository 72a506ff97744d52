"""An asyncio event loop in which no time passes but that of its timers.

A tick runs what was ready at its start, in order; timers that are due become
ready in the order of their moments and, at the same moment, of their making
(asyncio leaves that open). Moments are whole milliseconds.
"""

import asyncio
import collections
import heapq


class Handle:
    __slots__ = ("callback", "arguments", "moment", "order")

    def __init__(self, callback, arguments, moment=0, order=0):
        self.callback = callback
        self.arguments = arguments
        self.moment = moment
        self.order = order

    def __lt__(self, other):
        return (self.moment, self.order) < (other.moment, other.order)

    def cancel(self):
        self.callback = None

    def cancelled(self):
        return self.callback is None

    def when(self):
        return self.moment


class Loop(asyncio.AbstractEventLoop):
    def __init__(self):
        self.now = 0
        self.ready = collections.deque()
        self.timers = []
        self.orders = 0
        self.ties = 0  # moments at which more than one timer was due

    # What asyncio's tasks, futures and locks ask for.

    def get_debug(self):
        return False

    def is_closed(self):
        return False

    def is_running(self):
        return True

    def time(self):
        return self.now

    def call_exception_handler(self, context):
        """Failures that nobody looked at are no business of ours."""

    def call_soon(self, callback, *arguments, context=None):
        handle = Handle(callback, arguments)
        self.ready.append(handle)
        return handle

    def call_later(self, delay, callback, *arguments, context=None):
        return self.call_at(self.now + delay, callback, *arguments)

    def call_at(self, when, callback, *arguments, context=None):
        self.orders += 1
        handle = Handle(callback, arguments, when, self.orders)
        heapq.heappush(self.timers, handle)
        return handle

    def create_future(self):
        return asyncio.Future(loop=self)

    def create_task(self, coroutine, **options):
        return asyncio.Task(coroutine, loop=self, **options)

    # Running.

    def run_until_idle(self):
        """Runs until nothing is ready and no timer is left."""
        asyncio._set_running_loop(self)
        try:
            while self.ready or self._jump():
                for _ in range(len(self.ready)):
                    handle = self.ready.popleft()
                    if handle.callback is not None:
                        handle.callback(*handle.arguments)
        finally:
            asyncio._set_running_loop(None)

    def _jump(self):
        """Moves the time on to the next timers; False if there are none."""
        due = 0
        while self.timers:
            first = self.timers[0]
            if first.callback is None:
                heapq.heappop(self.timers)
            elif due == 0 or first.moment == self.now:
                self.now = first.moment
                self.ready.append(heapq.heappop(self.timers))
                due += 1
            else:
                break
        self.ties += due > 1
        return due > 0
