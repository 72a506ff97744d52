"""Programs of the differential test, as trees and as text.

The text is what both interpreters read (README.md has the language). The tree
is what the generator makes and the shrinker cuts: an operation that has a pause
keeps it, so that no cut brings two things to the same moment.
"""

FIRST_FUTURE = 100  # awaitables: tasks from 0, futures from here

BLOCKS = {"with", "timeout", "group", "try", "lock"}

# The first lines of a program: the objects of each kind. A number alone says
# how many there are; else there is one for each.
OBJECTS = ("semaphores", "futures", "locks", "conditions", "events", "queues",
           "barriers")
COUNTED = {"futures", "locks", "events"}


# Where among the arguments the awaitables are: from..to.
AWAITABLES = {
    "spawn": (0, 1), "child": (1, 2), "cancel": (0, 1), "poll": (0, 1),
    "await": (0, 1), "wait_for": (0, 1), "shield": (0, 1),
    "shield_for": (0, 1), "gather": (0, None), "settle": (0, None),
    "wait": (2, None), "as_completed": (1, None)}

# Which argument is a time; 0 or less says something of its own.
TIMES = {"sleep": 0, "wait_for": 1, "shield_for": 1, "wait": 1,
         "as_completed": 0, "with": 1, "timeout": 1, "reschedule": 1}


class Operation:
    """One operation, with the blocks inside it, and the pause after it."""

    __slots__ = ("name", "arguments", "body", "handler", "pause", "lead",
                 "number", "run")

    def __init__(self, name, *arguments, body=None, handler=None, pause=0,
                 lead=0):
        self.name = name
        self.arguments = arguments
        self.body = body          # of a block: a list of operations
        self.handler = handler    # of a try: what stands after its catch
        self.pause = pause        # ms; 0 is none
        self.lead = lead          # the same, at the beginning of a block
        self.number = 0           # its place in its task, for the log

    def copy(self, **changes):
        new = Operation(self.name, *self.arguments, body=self.body,
                        handler=self.handler, pause=self.pause,
                        lead=self.lead)
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def awaitables(self):
        """The places of its awaitables among its arguments."""
        if self.name not in AWAITABLES:
            return range(0)
        first, end = AWAITABLES[self.name]
        return range(first, len(self.arguments) if end is None else end)

    def lines(self, depth=0):
        words = [self.name, *map(str, self.arguments)]
        yield "  " * depth + " ".join(words)
        if self.body is not None:
            if self.lead:
                yield "  " * depth + f"  sleep {self.lead}"
            for inner in self.body:
                yield from inner.lines(depth + 1)
            if self.handler is not None:
                yield "  " * depth + "catch"
                for inner in self.handler:
                    yield from inner.lines(depth + 1)
            yield "  " * depth + "end"
        if self.pause:
            yield "  " * depth + f"sleep {self.pause}"


class Program:
    def __init__(self, name, strict, objects, tasks):
        self.name = name
        self.strict = strict    # the order of tasks is compared, too
        self.objects = objects  # the numbers of its first lines, by word
        self.tasks = tasks      # a list of lists of operations

    def copy(self, tasks):
        return Program(self.name, self.strict, self.objects, tasks)

    def count(self, word):
        """Of futures, locks, events: how many there are."""
        return (self.objects.get(word) or [0])[0]

    def text(self):
        lines = [f"program {self.name}"]
        for word in OBJECTS:
            numbers = self.objects.get(word, [])
            if any(numbers) or numbers and word not in COUNTED:
                lines.append(" ".join([word, *map(str, numbers)]))
        for number, operations in enumerate(self.tasks):
            lines.append(f"task {number}")
            for operation in operations:
                lines.extend(operation.lines(1))
        lines.append("run")
        return "\n".join(lines) + "\n"

    def size(self):
        return self.text().count("\n")


def parse(text):
    """The program of a text; for --program. Names that begin with "s" are of
    strict ones. Pauses come back as operations."""
    name, objects, tasks, open_blocks = "0", {}, [], []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "run" or words[0].startswith("#"):
            continue
        word, numbers = words[0], words[1:]
        if word == "program":
            name = numbers[0]
        elif word in OBJECTS:
            objects[word] = list(map(int, numbers))
        elif word == "task":
            tasks.append([])
            open_blocks = [tasks[-1]]
        elif word == "end":
            open_blocks.pop()
        elif word == "catch":
            open_blocks.pop()
            block = open_blocks[-1][-1]
            block.handler = []
            open_blocks.append(block.handler)
        else:
            operation = Operation(word, *map(int, numbers))
            open_blocks[-1].append(operation)
            if word in BLOCKS:
                operation.body = []
                open_blocks.append(operation.body)
    return Program(name, name.startswith("s"), objects, tasks)
