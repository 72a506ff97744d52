#!/usr/bin/env python3
"""Makes docs/guide/asyncio.md of asyncio.in and the programs in
docs/examples/seeds: Python left, C right, taken from the files that the tests
compile and run. With --check it compares instead.

A line of asyncio.in

    @@ 05_gather_ordered: fetch main | fetch main

becomes a table of the pieces so named, of NAME.py left and of NAME.c right;
without the bar the same names are used on both sides. A piece is what stands
between two blank lines outside of functions, and is found by a name in its
head.
"""
import html
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = HERE.parent / "examples" / "seeds"
TEMPLATE = HERE / "asyncio.in"
CHAPTER = HERE / "asyncio.md"


def pieces_of(path):
    """The parts of a file between blank lines at the outermost level."""
    pieces, piece = [], []
    for line in path.read_text().splitlines():
        starts = line and not line[0].isspace() and line[0] not in "}#)"
        if starts and piece and not piece[-1].strip():
            pieces.append(piece)
            piece = []
        piece.append(line)
    pieces.append(piece)
    return ["\n".join(piece).strip("\n") for piece in pieces]


def head_of(piece):
    """What names a piece: all of it up to its body."""
    lines = [line for line in piece.splitlines()
             if not line.startswith(("#include", "/*", " *", "//"))]
    text = "\n".join(lines)
    return re.split(r"\{\n|:\n", text, maxsplit=1)[0]


def find(path, name):
    word = re.compile(r"(?<![\w.])" + re.escape(name) + r"(?!\w)")
    for piece in pieces_of(path):
        if word.search(head_of(piece)):
            return piece
    sys.exit(f"{TEMPLATE.name}: no '{name}' in {path.name}")


def cell(path, names, language):
    code = "\n\n".join(find(path, name) for name in names)
    code = code.replace("\n\n\n", "\n\n")
    mark = "<!-- snippet: elsewhere -->\n" if language == "c" else ""
    return f"<td>\n\n{mark}```{language}\n{code}\n```\n\n</td>"


def side_by_side(seed, left, right):
    python, c = SEEDS / f"{seed}.py", SEEDS / f"{seed}.c"
    link = "../examples/seeds/" + html.escape(seed)
    return "\n".join([
        "<table>",
        f'<tr><th><a href="{link}.py">Python</a></th>'
        f'<th><a href="{link}.c">C</a></th></tr>',
        '<tr valign="top">',
        cell(python, left, "python"),
        cell(c, right, "c"),
        "</tr>",
        "</table>",
    ])


def expand(match):
    seed, names = match.group(1), match.group(2)
    left, _, right = names.partition("|")
    return side_by_side(seed, left.split(), (right or left).split())


def main():
    text = re.sub(r"^@@ (\w+): (.*)$", expand, TEMPLATE.read_text(),
                  flags=re.MULTILINE)
    if "--check" not in sys.argv[1:]:
        CHAPTER.write_text(text)
        return 0
    same = CHAPTER.exists() and CHAPTER.read_text() == text
    if not same:
        print(f"{CHAPTER.name} is not what {pathlib.Path(__file__).name} makes "
              "of the programs; run it, and look at the difference")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
