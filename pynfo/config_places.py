"""Where things stand in a config file, so that each mistake names its line.

The file has been executed; its syntax tree is only asked for lines, never for values. What the tree does not
spell out (`Network(**common)`) has the line of what is around it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType, FrameType

import msgspec

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Mistake(msgspec.Struct, frozen=True):
    """One mistake: where it is, and what to write instead. `line` None: in the file as a whole."""

    path: str
    line: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class Place:
    """The place of a value: its line, and the expression that made it where that is known."""

    __slots__ = ("line", "node", "path")

    def __init__(self, path: str, line: int | None, node: ast.AST | None = None) -> None:
        self.path = path
        self.line = line
        self.node = node

    def part(self, *keys: object) -> Place:
        """Where a part of the value stands.

        `keys` lead there from the outside in: a dictionary's key, a list's index, a call's keyword.
        """
        place = self
        for key in keys:
            place = place._part(key)
        return place

    def _part(self, key: object) -> Place:
        node = self.node
        if isinstance(node, ast.Dict):
            for written, value in zip(node.keys, node.values, strict=True):
                if isinstance(written, ast.Constant) and written.value == key:
                    return Place(self.path, written.lineno, value)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == key:
                    return Place(self.path, keyword.lineno, keyword.value)
        elif isinstance(node, ast.List | ast.Tuple) and isinstance(key, int) and key < len(node.elts):
            items = node.elts[: key + 1]
            if not any(isinstance(item, ast.Starred) for item in items):
                return Place(self.path, items[-1].lineno, items[-1])
        return Place(self.path, self.line)

    def mistake(self, text: str) -> Mistake:
        return Mistake(self.path, self.line, text)


class Source:
    """The syntax tree of one config file, and what it binds at its top level.

    `path` is what people know the file by, `file` its absolute path. `settings` are the names it assigns, by
    the place of the last assignment; `others` those it imports, defines, or uses in a loop.
    """

    def __init__(self, path: str, file: str, tree: ast.Module) -> None:
        self.path = path
        self.file = file
        self.tree = tree
        self.settings: dict[str, Place] = {}
        self.others: set[str] = set()
        self._calls: dict[tuple[int, int | None], ast.Call] = {}
        self._read(tree)

    def setting(self, name: str) -> Place:
        """Where a top-level name was last assigned."""
        return self.settings.get(name) or Place(self.path, None)

    def call(self, line: int, column: int | None) -> Place:
        """The call that begins there; `column` counts bytes from 0."""
        if not self._calls:
            self._calls = {
                (node.lineno, node.col_offset): node
                for node in ast.walk(self.tree)
                if isinstance(node, ast.Call)
            }
        return Place(self.path, line, self._calls.get((line, column)))

    def _read(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _SCOPES):
                self.others.add(child.name)
            elif isinstance(child, ast.alias):
                self.others.add(child.asname or child.name.partition(".")[0])
            elif not isinstance(child, _INNER):
                self._assign(child)
                self._read(child)

    def _assign(self, node: ast.AST) -> None:
        for target, value in _targets(node):
            if isinstance(target, ast.Name):
                self.settings[target.id] = Place(self.path, node.lineno, value)  # type: ignore[attr-defined]
            elif isinstance(target, ast.Tuple | ast.List):
                names = [item.id for item in ast.walk(target) if isinstance(item, ast.Name)]
                self.settings |= dict.fromkeys(names, Place(self.path, target.lineno))
        if isinstance(node, ast.For | ast.AsyncFor):
            self.others |= {item.id for item in ast.walk(node.target) if isinstance(item, ast.Name)}
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            self.others.add(node.optional_vars.id)


def _targets(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield target, node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        yield node.target, node.value
    elif isinstance(node, ast.AugAssign):
        yield node.target, None


def position(frame: FrameType) -> tuple[str, int, int | None]:
    """File, line and column (in bytes) of the call that `frame` is making."""
    line, column = _position(frame.f_code, frame.f_lasti)
    return frame.f_code.co_filename, line or frame.f_lineno, column


def _position(code: CodeType, instruction: int) -> tuple[int | None, int | None]:
    for index, (line, _, column, _) in enumerate(code.co_positions()):
        if index * 2 == instruction:  # an instruction is two bytes; caches count as instructions
            return line, column
    return None, None
