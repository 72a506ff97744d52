"""Makes what programs do with locks, conditions, events, queues and barriers:
a part of the maker of generate.py.
"""

from language import Operation

DEEPEST = 4  # blocks in blocks

# What a task may do when it is cancelled [Kinds of tasks].
CALM = 0    # ends at once, and never fails
PROMPT = 1  # ends at once
FREE = 2    # may catch it, take its time, and do something else

# What programs may have.
KINDS = {"locks", "conditions", "events", "queues", "barriers"}


class Maker:
    def choose_objects(self):
        """A kind or two, in half of the programs: many tasks meet in few
        things, and not all of them wait for ever."""
        chosen = {kind for kind in sorted(KINDS) if self.chance(30)}
        if self.chance(50):
            chosen = set()
        if "conditions" in chosen and "locks" in KINDS:
            chosen.add("locks")
        self.users = {}  # of locks, in each tree
        self.locks = self.few(1, 2) if "locks" in chosen else 0
        self.conditions = []  # the lock of each
        if "conditions" in chosen:
            self.conditions = [self.few(0, self.locks - 1)
                               for _ in range(self.few(1, 2))]
        self.events = self.few(1, 2) if "events" in chosen else 0
        self.barriers = self.few(1, 2) if "barriers" in chosen else 0
        self.queues = self.few(1, 2) if "queues" in chosen else 0
        self.objects = {
            "locks": [self.locks], "conditions": self.conditions,
            "events": [self.events],
            "queues": [self.few(0, 2) for _ in range(2 * self.queues)],
            "barriers": [self.random.choice((1, 2, 2, 2, 3))
                         for _ in range(self.barriers)]}

    def menu_of_sync(self, draft):
        menu = []
        if self.locks:
            menu.append(("lock", 18))
        if self.conditions and not draft.held:
            menu.append(("watchers", 20))
        if self.held_conditions(draft):
            menu += [("notify", 12), ("cond_wait", 20)]
        if self.events:
            menu += [("event_wait", 9), ("event_set", 5), ("event_clear", 4)]
        if self.queues:
            menu += [("put", 12), ("get", 12), ("try_put", 3), ("try_get", 3),
                     ("task_done", 10), ("join", 9)]
        if self.barriers:
            menu += [("arrive", 15), ("abort", 1), ("reset", 3)]
        return menu

    # ---- locks, conditions, events, queues, barriers ---------------------

    def may_lock(self, draft, lock):
        """One task of each tree uses a lock [Locks]."""
        return (draft.depth < DEEPEST and not draft.is_guest()
                and lock not in draft.held
                and self.users.get((lock, draft.root()), draft) is draft)

    def make_lock(self, draft):
        free = [lock for lock in range(self.locks)
                if self.may_lock(draft, lock)]
        if not free:
            return []
        return [self.locked(draft, self.random.choice(free),
                            int(self.chance(15)), lambda: [])]

    def locked(self, draft, lock, if_free, make_first):
        """A block that holds the lock and begins with something."""
        self.users[lock, draft.root()] = draft
        draft.held.append(lock)
        body = make_first() + self.block(draft)
        draft.held.pop()
        return self.unit("lock", lock, if_free, body=body, lead=self.pause())

    def make_watchers(self, draft):
        """Tasks that wait for a condition; then it is notified."""
        number = self.few(0, len(self.conditions) - 1)
        made = []
        for _ in range(self.few(1, 3)):
            if self.is_full():
                break
            child = self.new_draft(FREE, draft, uncut=True)
            child.watches = number
            child.once = self.chance(40)
            child.cuts = int(child.once)
            draft.children.append(child)
            made.append(self.unit("spawn", child.number))
            if child.cuts and self.chance(60):
                child.cuts = 0
                made.append(Operation("sleep", self.moment()))
                made.append(self.unit("cancel", child.number))
        if self.may_lock(draft, self.conditions[number]):
            made.append(self.locked(draft, self.conditions[number], 0,
                                    lambda: self.make_notify(draft)))
        return made

    def watch(self, draft):
        """The beginning of such a task."""
        number = draft.watches

        def first():
            wait = [self.unit("cond_wait", number)]
            if self.chance(60):
                return wait
            scope = self.scopes
            self.scopes += 1
            return [self.unit("timeout", scope, self.moment(), body=wait)]

        return [self.locked(draft, self.conditions[number], 0, first)]

    def held_conditions(self, draft):
        """Those whose lock it holds."""
        return [number for number, lock in enumerate(self.conditions)
                if lock in draft.held]

    def make_notify(self, draft):
        number = self.random.choice(self.held_conditions(draft))
        if self.chance(30):
            return [self.unit("notify_all", number)]
        return [self.unit("notify", number, self.few(0, 2))]

    def make_cond_wait(self, draft):
        """It may take its time to end [Conditions]."""
        if draft.kind != FREE or draft.in_group:
            return []
        number = self.random.choice(self.held_conditions(draft))
        return [self.unit("cond_wait", number)]

    def make_event_wait(self, draft):
        return [self.unit("event_wait", self.few(0, self.events - 1))]

    def make_event_set(self, draft):
        return [self.unit("event_set", self.few(0, self.events - 1))]

    def make_event_clear(self, draft):
        return [self.unit("event_clear", self.few(0, self.events - 1))]

    def queue(self):
        return self.few(0, self.queues - 1)

    def make_put(self, draft):
        return [self.unit("put", self.queue(), self.item())]

    def make_try_put(self, draft):
        return [self.unit("try_put", self.queue(), self.item())]

    def item(self):
        """Items of a priority queue are different, and in no order."""
        return self.few(1, 99) * 1000 + self.value()

    def make_get(self, draft):
        return [self.unit("get", self.queue())]

    def make_try_get(self, draft):
        return [self.unit("try_get", self.queue())]

    def make_task_done(self, draft):
        return [self.unit("task_done", self.queue())]

    def make_join(self, draft):
        return [self.unit("join", self.queue())]

    def make_arrive(self, draft):
        return [self.unit("arrive", self.few(0, self.barriers - 1))]

    def make_abort(self, draft):
        """And most often repaired."""
        number = self.few(0, self.barriers - 1)
        made = [self.unit("abort", number)]
        if self.chance(70):
            made.append(self.unit("reset", number))
        return made

    def make_reset(self, draft):
        return [self.unit("reset", self.few(0, self.barriers - 1))]
