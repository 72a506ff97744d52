"""Makes programs for the differential test: random, and the same again for the
same seed.

What asyncio and uvawait do differently on purpose must not show in them. Each
restriction here has its reason in README.md, "What is left out"; the names in
brackets are its headings.
"""

import random

import generate_sync
from generate_sync import CALM, DEEPEST, FREE, PROMPT
from language import FIRST_FUTURE, Operation, Program

MOST_TASKS = 14


class Draft:
    """A task while its body is made."""

    def __init__(self, number, kind, parent, uncut=False, mute=False):
        self.number = number
        self.parent = parent  # who spawns it
        self.kind = kind
        self.uncut = uncut    # nobody waits for it in a way that could cut it
        self.once = False     # but somebody may cancel it, once
        self.cuts = 0         # how often that may still be
        self.mute = mute      # never fails
        self.children = []    # drafts that it has spawned, and may wait for
        self.timeouts = []    # numbers of those that are open
        self.in_group = 0     # in how many bodies of groups
        self.in_mute = 0      # of them, of those whose children never fail
        self.depth = 0
        self.stubborn = False  # catches the first request to end
        self.guest = False     # in a group of somebody else
        self.held = []         # locks of the blocks that are open
        self.watches = None    # a condition that it waits for at first

    def root(self):
        """Of the tree in which cancellations and failures travel."""
        return self if self.uncut else self.parent.root()

    def is_guest(self):
        """Others than its root can cut it."""
        return self.guest or not self.uncut and self.parent.is_guest()

    def may_catch(self):
        return (self.kind == FREE and not self.timeouts and not self.in_group
                and self.depth < DEEPEST)

    def descends_from(self, other):
        return self.parent is not None and (
            self.parent is other or self.parent.descends_from(other))

    def may_wait_for(self, child):
        """With a wait that passes cancellations on."""
        if child.uncut:
            return False
        most = PROMPT if self.in_group else self.kind
        return child.kind <= most


class Maker(generate_sync.Maker):
    ZERO = 8  # percent of the timeouts that are over when they begin

    def __init__(self, name, seed):
        self.random = random.Random(seed)
        self.name = name
        self.drafts = []       # of all tasks, by number
        self.unmade = []       # those without a body yet
        self.gathered = set()  # numbers of tasks that a gather waits for
        self.semaphores = self.few(0, 3)
        self.futures = self.few(0, 3)
        self.choose_objects()
        self.scopes = 0
        self.groups = 0
        self.sheltered = []    # groups that only a child's failure can cut
        self.values = 0

    # ---- numbers ---------------------------------------------------------

    def few(self, least, most):
        return self.random.randint(least, most)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def moment(self):
        """A time that falls on no other's [One thing at a time]."""
        return self.random.randint(1, 10 ** self.random.choice((5, 6, 6, 7)))

    def pause(self):
        return self.random.randint(1, 10 ** 5)

    def value(self):
        self.values += 1
        return self.values

    # ---- tasks -----------------------------------------------------------

    def program(self, strict=False):
        self.new_draft(FREE, None, uncut=True)
        tasks = {}
        while self.unmade:
            draft = self.unmade.pop(0)
            tasks[draft.number] = self.body(draft)
        self.objects["semaphores"] = [self.permits()
                                      for _ in range(self.semaphores)]
        self.objects["futures"] = [self.futures]
        return Program(self.name, strict, self.objects,
                       [tasks[number] for number in sorted(tasks)])

    def permits(self):
        return self.few(0, 2)

    def new_draft(self, kind, parent, uncut=False, mute=False):
        draft = Draft(len(self.drafts), kind, parent, uncut, mute)
        self.drafts.append(draft)
        self.unmade.append(draft)
        return draft

    def is_full(self):
        return len(self.drafts) >= MOST_TASKS

    def body(self, draft):
        operations = []
        count = self.few(5, 9) if draft.number == 0 else self.few(1, 6)
        if draft.stubborn:
            operations += self.make_try(draft)
        if draft.watches is not None:
            operations += self.watch(draft)
        self.fill(draft, operations, count)
        if self.chance(60):
            operations.append(Operation("return", self.value()))
        elif draft.kind != CALM and not draft.mute and self.chance(60):
            operations.append(Operation("fail", -9000 - self.value()))
        elif draft.kind != CALM and self.chance(20):
            operations.append(Operation("give_up"))
        return operations

    def fill(self, draft, operations, count):
        names, weights = zip(*self.menu(draft))
        for name in self.random.choices(names, weights, k=count):
            operations.extend(getattr(self, "make_" + name)(draft))

    def block(self, draft, least=1, most=4):
        """The inside of a block; never empty, or nothing could be cut."""
        operations = []
        draft.depth += 1
        if draft.depth < DEEPEST:
            self.fill(draft, operations, self.few(least, most))
        operations.append(Operation("sleep", self.moment()))
        draft.depth -= 1
        return operations

    def menu(self, draft):
        """What may come next, and how often."""
        menu = [("sleep", 14), ("yield", 3), ("spawn", 14), ("cancel", 7),
                ("await", 9), ("wait_for", 6), ("shield", 4),
                ("shield_for", 3), ("gather", 5), ("settle", 5), ("wait", 6),
                ("as_completed", 4), ("poll", 2), ("timeout", 9),
                ("group", 8), ("child", 3), ("hunt", 5)]
        if draft.may_catch():
            menu.append(("try", 9))
        if self.futures:
            menu += [("resolve", 3), ("break", 1), ("future", 4)]
        if self.semaphores:
            menu += [("acquire", 3), ("release", 4), ("with", 8)]
        if draft.timeouts:
            menu.append(("reschedule", 6))
        return menu + self.menu_of_sync(draft)

    def unit(self, name, *arguments, **more):
        """An operation and the pause after it [One thing at a time]."""
        return Operation(name, *arguments, pause=self.pause(), **more)

    # ---- what needs nothing ----------------------------------------------

    def make_sleep(self, draft):
        return [Operation("sleep", self.moment())]

    def make_yield(self, draft):
        return [self.unit("yield")]

    # ---- tasks -----------------------------------------------------------

    def make_spawn(self, draft, kind=None):
        if self.is_full():
            return []
        if kind is None:
            kind = self.random.choice((PROMPT, FREE, FREE))
        child = self.new_draft(kind, draft,
                               uncut=kind == FREE and self.chance(30))
        child.stubborn = kind == FREE and self.chance(25)
        child.once = child.uncut and self.chance(50)
        child.cuts = int(child.once)
        draft.children.append(child)
        return [self.unit("spawn", child.number)]

    def make_cancel(self, draft):
        targets = [other for other in self.drafts
                   if (other.cuts or not other.uncut) and other.kind != CALM
                   and not draft.descends_from(other)]
        targets += [FIRST_FUTURE + i for i in range(self.futures)]
        if not targets:
            return []
        target = self.random.choice(targets)
        if isinstance(target, Draft):
            target.cuts = 0
            target = target.number
        return [self.unit("cancel", target)]

    def make_hunt(self, draft):
        """A child that is asked to end, perhaps once more while it does."""
        if self.is_full():
            return []
        child = self.new_draft(FREE, draft)
        child.stubborn = self.chance(80)
        draft.children.append(child)
        made = [self.unit("spawn", child.number)]
        for _ in range(self.few(1, 3)):
            made.append(self.unit("cancel", child.number))
        return made

    def make_poll(self, draft):
        return [self.unit("poll", self.random.choice(self.drafts).number)]

    # ---- waiting ---------------------------------------------------------

    def own(self, draft):
        """Children that it may wait for with what passes cancellations on
        [One waiter]."""
        return [child for child in draft.children
                if draft.may_wait_for(child)
                and child.number not in self.gathered]

    def wait_own(self, draft, name, *arguments):
        made = []
        if not self.own(draft) or self.chance(30):
            made = self.make_spawn(
                draft, PROMPT if draft.in_group else draft.kind or CALM)
        own = self.own(draft)
        if own:
            child = self.random.choice(own)
            if arguments and child.kind < FREE and self.chance(10):
                arguments = (0,)  # ends in the moment in which it begins
                if made and self.chance(50):
                    made[-1].pause = 0  # before its first step
            made.append(self.unit(name, child.number, *arguments))
        return made

    def make_await(self, draft):
        return self.wait_own(draft, "await")

    def make_wait_for(self, draft):
        return self.wait_own(draft, "wait_for", self.moment())

    def make_shield(self, draft):
        others = self.others(draft)
        if not others:
            return []
        return [self.unit("shield", self.random.choice(others))]

    def make_shield_for(self, draft):
        others = self.others(draft)
        if not others:
            return []
        return [self.unit("shield_for", self.random.choice(others),
                          self.moment())]

    def others(self, draft):
        """Whom it may wait for with what passes nothing on [Two ways]."""
        return [other.number for other in self.drafts
                if other in draft.children or other.root() != draft.root()]

    def make_future(self, draft):
        number = FIRST_FUTURE + self.few(0, self.futures - 1)
        name = "shield"
        if draft.kind == FREE and not draft.in_group:
            name = self.random.choice(("await", "await", "wait_for", name))
        if name == "wait_for":
            return [self.unit(name, number, self.moment())]
        return [self.unit(name, number)]

    def make_gather(self, draft):
        """Calm children, and nobody else waits for them [gather]."""
        made = []
        numbers = []
        for _ in range(self.few(1, 4)):
            if self.is_full():
                break
            child = self.new_draft(CALM, draft)
            self.gathered.add(child.number)
            numbers.append(child.number)
            made.append(self.unit("spawn", child.number))
        if numbers:
            if self.chance(20):
                numbers.append(self.random.choice(numbers))
            made.append(self.unit("gather", *numbers))
        return made

    def make_settle(self, draft):
        made = []
        for _ in range(self.few(0, 2)):
            made += self.make_spawn(
                draft, PROMPT if draft.in_group else draft.kind or CALM)
        own = [child.number for child in self.own(draft)]
        if not own:
            return made
        numbers = self.random.sample(own, self.few(1, min(4, len(own))))
        return made + [self.unit("settle", *numbers)]

    def make_wait(self, draft):
        """Who waits for the first has children of its own; for all, any
        [wait]."""
        mode = self.few(0, 2)
        limit = self.moment() if self.chance(50) else -1
        if mode == 0:
            from_whom = self.others(draft)
        else:
            from_whom = [child.number for child in draft.children]
        if not from_whom:
            return []
        numbers = self.random.sample(from_whom,
                                     self.few(1, min(4, len(from_whom))))
        return [self.unit("wait", mode, limit, *numbers)]

    def make_as_completed(self, draft):
        children = [child.number for child in draft.children]
        if not children:
            return []
        numbers = self.random.sample(children,
                                     self.few(1, min(4, len(children))))
        limit = self.moment() if self.chance(50) else -1
        return [self.unit("as_completed", limit, *numbers)]

    # ---- futures and semaphores ------------------------------------------

    def make_resolve(self, draft):
        number = FIRST_FUTURE + self.few(0, self.futures - 1)
        return [self.unit("resolve", number, self.value())]

    def make_break(self, draft):
        number = FIRST_FUTURE + self.few(0, self.futures - 1)
        return [self.unit("break", number, -9000 - self.value())]

    def semaphore(self):
        return self.few(0, self.semaphores - 1)

    def make_acquire(self, draft):
        return [self.unit("acquire", self.semaphore())]

    def make_release(self, draft):
        return [self.unit("release", self.semaphore())]

    def make_with(self, draft):
        if draft.depth >= DEEPEST:
            return []
        return [self.unit("with", self.semaphore(), self.moment(),
                          body=self.block(draft))]

    # ---- blocks ----------------------------------------------------------

    def make_timeout(self, draft):
        if draft.depth >= DEEPEST:
            return []
        number = self.scopes
        self.scopes += 1
        draft.timeouts.append(number)
        body = self.block(draft)
        draft.timeouts.pop()
        limit = self.moment()
        if self.chance(self.ZERO):
            limit = 0
            body.insert(0, self.random.choice(self.first_parks()))
        return [self.unit("timeout", number, limit, body=body)]

    def first_parks(self):
        """In a block whose time is up at once [Zero]."""
        return Operation("yield"), Operation("sleep", self.moment())

    def make_reschedule(self, draft):
        number = self.random.choice(draft.timeouts)
        return [self.unit("reschedule", number, self.moment())]

    def make_try(self, draft):
        # 1: is cancelled again at the end; 2: takes one request back only.
        mode = int(self.chance(50)) + 2 * int(self.chance(30))
        draft.depth += 1
        body = self.busy(draft) if self.chance(60) else []
        draft.depth -= 1
        body += self.block(draft)
        draft.depth += 1
        handler = [Operation("sleep", self.moment())]
        self.fill(draft, handler, self.few(0, 2))
        if not draft.mute and self.chance(25):
            handler.append(Operation("fail", -9000 - self.value()))
        draft.depth -= 1
        return [self.unit("try", mode, body=body, handler=handler)]

    def busy(self, draft):
        """Waits for a while, in one way or another."""
        if self.chance(50) and not self.is_full():
            child = self.new_draft(FREE, draft)
            child.stubborn = self.chance(70)
            draft.children.append(child)
            return [self.unit("spawn", child.number),
                    self.unit("await", child.number)]
        make = self.random.choice((
            self.make_await, self.make_wait_for, self.make_gather,
            self.make_settle, self.make_wait, self.make_as_completed,
            self.make_shield))
        return self.make_spawn(draft) + make(draft)

    def make_group(self, draft):
        if draft.depth >= DEEPEST or draft.kind == CALM or self.is_full():
            return []
        number = self.groups
        self.groups += 1
        # Which children it may have [Groups].
        kind, mute = PROMPT, False
        if (draft.uncut and not draft.in_group
                and len(draft.timeouts) + draft.once < 2):
            kind, mute = FREE, bool(draft.timeouts or draft.once)
            if not mute:
                self.sheltered.append(number)
        raises = self.chance(30) and not draft.mute and not draft.in_mute
        draft.in_group += 1
        draft.in_mute += mute
        body = []
        late = mute and self.chance(50)
        if late:  # one that may fail while it is ending; the others are prompt
            child = self.new_draft(FREE, draft)
            child.stubborn = True
            body.append(self.unit("child", number, child.number))
            kind = PROMPT
        for _ in range(self.few(0 if late else 1, 3)):
            if not self.is_full():
                body += self.child(draft, number, kind, mute)
        body += self.block(draft, 0, 3)
        draft.in_group -= 1
        draft.in_mute -= mute
        return [self.unit("group", number, int(raises), body=body)]

    def child(self, draft, group, kind, mute):
        child = self.new_draft(kind, draft, mute=mute)
        return [self.unit("child", group, child.number)]

    def make_child(self, draft):
        """Into a group of somebody else, or one that is over."""
        if self.is_full() or not self.sheltered:
            return []
        group = self.random.choice(self.sheltered)
        made = self.child(draft, group, PROMPT, False)
        self.drafts[-1].guest = True
        return made


class StrictMaker(Maker):
    """Programs of which the order of events is compared as well, across tasks
    and within a moment: only what takes the same number of ticks in both, many
    things at the same moment, but cancellations alone [Order]."""

    ZERO = 0

    def menu(self, draft):
        menu = [("sleep", 14), ("yield", 12), ("spawn", 16), ("cancel", 4),
                ("await", 16), ("wait_for", 3), ("poll", 6), ("timeout", 5)]
        if draft.may_catch():
            menu.append(("try", 4))
        if self.futures:
            menu += [("resolve", 6), ("break", 1), ("future", 8)]
        if self.semaphores:
            menu += [("with", 10)]
        if self.events:
            menu += [("event_wait", 9), ("event_set", 5), ("event_clear", 4)]
        return menu

    def permits(self):
        return 1

    def unit(self, name, *arguments, **more):
        return Operation(name, *arguments, **more)

    def alone(self, *operations):
        """At a moment at which nothing else happens, before and after."""
        return [Operation("sleep", self.moment()), *operations,
                Operation("sleep", self.moment())]

    def make_sleep(self, draft):
        if self.chance(20):
            return [Operation("sleep", self.moment())]
        return [Operation("sleep", self.few(1, 3))]

    def make_spawn(self, draft, kind=None):
        if self.is_full():
            return []
        child = self.new_draft(FREE, draft, uncut=self.chance(10))
        draft.children.append(child)
        return [Operation("spawn", child.number)]

    def busy(self, draft):
        return self.make_await(draft)

    def make_cancel(self, draft):
        cancel = super().make_cancel(draft)
        return self.alone(*cancel)

    def own(self, draft):
        return [other for other in self.drafts
                if not other.uncut and other.number > draft.number]

    def make_future(self, draft):
        number = FIRST_FUTURE + self.few(0, self.futures - 1)
        return [Operation("await", number)]


def make(name, seed, strict=False):
    maker = (StrictMaker if strict else Maker)(name, seed)
    return maker.program(strict)
