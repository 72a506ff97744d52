"""Programs of the differential test, as trees and as text.

The text is what both interpreters read (README.md has the language). The tree
is what the generator makes and the shrinker cuts: an operation that has a pause
keeps it, so that no cut brings two things to the same moment.
"""

FIRST_FUTURE = 100  # awaitables: tasks from 0, futures from here

BLOCKS = {"with", "timeout", "group", "try"}


class Operation:
    """One operation, with the blocks inside it, and the pause after it."""

    __slots__ = ("name", "arguments", "body", "handler", "pause", "number",
                 "run")

    def __init__(self, name, *arguments, body=None, handler=None, pause=0):
        self.name = name
        self.arguments = arguments
        self.body = body          # of a block: a list of operations
        self.handler = handler    # of a try: what stands after its catch
        self.pause = pause        # ms; 0 is none
        self.number = 0           # its place in its task, for the log

    def copy(self, **changes):
        new = Operation(self.name, *self.arguments, body=self.body,
                        handler=self.handler, pause=self.pause)
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def lines(self, depth=0):
        words = [self.name, *map(str, self.arguments)]
        yield "  " * depth + " ".join(words)
        if self.body is not None:
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
    def __init__(self, name, strict, semaphores, futures, tasks):
        self.name = name
        self.strict = strict          # the order of tasks is compared, too
        self.semaphores = semaphores  # how many permits each begins with
        self.futures = futures        # how many there are
        self.tasks = tasks            # a list of lists of operations

    def copy(self, tasks):
        return Program(self.name, self.strict, self.semaphores, self.futures,
                       tasks)

    def text(self):
        lines = [f"program {self.name}"]
        lines.append(" ".join(["semaphores", *map(str, self.semaphores)]))
        lines.append(f"futures {self.futures}")
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
    name, semaphores, futures, tasks, open_blocks = "0", [], 0, [], []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "run" or words[0].startswith("#"):
            continue
        word, numbers = words[0], words[1:]
        if word == "program":
            name = numbers[0]
        elif word == "semaphores":
            semaphores = list(map(int, numbers))
        elif word == "futures":
            futures = int(numbers[0])
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
    return Program(name, name.startswith("s"), semaphores, futures, tasks)
