"""Cuts a program down to what a difference needs.

Every cut leaves a program that the generator could have made: operations go
with their pauses, and a block gives way to what is inside it.
"""

import time


def shrink(program, differs, seconds=30):
    """The smallest program found for which differs(program) still holds."""
    until = time.monotonic() + seconds

    def try_out(candidate):
        return time.monotonic() < until and differs(candidate)

    size = None
    while size != program.size() and time.monotonic() < until:
        size = program.size()
        for number in range(len(program.tasks)):
            program = shrink_task(program, number, try_out)
    return drop_unborn(program, differs)


def shrink_task(program, number, try_out):
    def with_task(operations):
        tasks = list(program.tasks)
        tasks[number] = operations
        return program.copy(tasks)

    operations = shrink_list(
        program.tasks[number],
        lambda operations: try_out(with_task(operations)))
    return with_task(operations)


def shrink_list(operations, holds):
    """Leaves out stretches of operations, long ones first, then looks inside
    those that are left."""
    length = len(operations)
    while length > 0:
        at = 0
        while at < len(operations):
            shorter = operations[:at] + operations[at + length:]
            if holds(shorter):
                operations = shorter
            else:
                at += length
        length //= 2
    at = 0
    while at < len(operations):
        operations = shrink_inside(operations, at, holds)
        at += 1
    return operations


def shrink_inside(operations, at, holds):
    if operations[at].body is None:
        return operations

    def replaced(*instead):
        return operations[:at] + list(instead) + operations[at + 1:]

    if holds(replaced(*operations[at].body)):
        return replaced(*operations[at].body)
    for part in ("body", "handler"):
        block = operations[at]
        inside = getattr(block, part)
        if inside is None:
            continue
        inside = shrink_list(
            inside, lambda inner: holds(replaced(block.copy(**{part: inner}))))
        operations = replaced(block.copy(**{part: inside}))
    return operations


def drop_unborn(program, differs):
    """Leaves out the last tasks, as long as they are empty and unneeded."""
    while len(program.tasks) > 1 and not program.tasks[-1]:
        shorter = program.copy(program.tasks[:-1])
        last = str(len(shorter.tasks))
        if any(line.split()[0] in ("spawn", "child")
               and line.split()[-1] == last
               for line in shorter.text().splitlines() if line.strip()):
            break
        if not differs(shorter):
            break
        program = shorter
    return program
