"""Cuts a program down to what a difference needs.

Every cut leaves a program that the generator could have made: operations go
with their pauses, and a block gives way to what is inside it. Times become
short and round, as long as no two things fall on one moment, and the tasks that
are left are numbered anew.
"""

import time

from language import FIRST_FUTURE, TIMES

ROUND = [step * 10 ** power for power in range(1, 7) for step in (1, 2, 5)]


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
    program = round_times(program, try_out)
    return drop_empty(program, differs)


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


def walk(operations):
    """All of them, with those inside blocks."""
    for operation in operations:
        yield operation
        yield from walk(operation.body or ())
        yield from walk(operation.handler or ())


def rebuild(operations, change):
    """A copy in which each is what change(operation) makes of its copy."""
    return [change(operation.copy(
        body=operation.body and rebuild(operation.body, change),
        handler=operation.handler and rebuild(operation.handler, change)))
            for operation in operations]


def round_times(program, try_out):
    """Tries short times, one after the other."""
    program = program.copy([rebuild(operations, lambda operation: operation)
                            for operations in program.tasks])
    for operations in program.tasks:
        for operation in walk(operations):
            place = TIMES.get(operation.name)
            if place is not None and operation.arguments[place] > 0:
                round_one(operation, try_out, program, place)
            for name in ("pause", "lead"):
                if getattr(operation, name) > 0:
                    round_one(operation, try_out, program, None, name)
    return program


def round_one(operation, try_out, program, place, name=None):
    """The time at that place of the arguments, or of that name."""
    arguments = operation.arguments
    now = getattr(operation, name) if name else arguments[place]
    for shorter in ROUND:
        if shorter >= now:
            break
        if name:
            setattr(operation, name, shorter)
        else:
            operation.arguments = (*arguments[:place], shorter,
                                   *arguments[place + 1:])
        if try_out(program):
            return
    if name:
        setattr(operation, name, now)
    operation.arguments = arguments


def drop_empty(program, differs):
    """Leaves out the tasks that are empty and that nobody names."""
    named = {operation.arguments[place]
             for operations in program.tasks for operation in walk(operations)
             for place in operation.awaitables()}
    kept = [number for number, operations in enumerate(program.tasks)
            if number == 0 or operations or number in named]
    new = {number: place for place, number in enumerate(kept)}

    def renumber(operation):
        numbers = list(operation.arguments)
        for place in operation.awaitables():
            if numbers[place] < FIRST_FUTURE:
                numbers[place] = new[numbers[place]]
        operation.arguments = tuple(numbers)
        return operation

    shorter = program.copy([rebuild(program.tasks[number], renumber)
                            for number in kept])
    return shorter if differs(shorter) else program
