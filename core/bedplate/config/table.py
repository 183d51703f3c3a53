"""Tables of rows: a CSV file beside the deployment file, as Excel or git have it.

Comma or semicolon, header first, UTF-8 (with Excel's byte order mark or without). Cells are typed like plain YAML
scalars. A table lies in the deployment's folder or below: a deployment must not make the kernel read other files.
"""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable
from pathlib import Path

from bedplate.config.document import MAX_BYTES, Node, decode, scalar
from bedplate.config.problems import Problems, shown
from bedplate.errors import Problem

ReadTable = Callable[[str], bytes]


def table_reader(folder: Path) -> ReadTable:
    """Reads tables below a folder. The reader raises OSError, whose text says why not."""

    def read(name: str) -> bytes:
        path = folder / name
        if "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
            raise OSError(0, "lies outside the deployment's folder")
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(0, "is no file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    return read


def parse_table(content: bytes, file: str, problems: Problems) -> tuple[Node, Node] | None:
    """(header, rows): header maps a column to a node, rows map a row's name to a mapping of column to cell."""
    text, wrong = decode(content.removeprefix(b"\xef\xbb\xbf"), file)
    problems.take(wrong)
    if wrong:
        return None
    root = Node({}, file, 1)
    header = Node({}, file, 1)
    lines = text.splitlines(keepends=True)
    delimiter = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader):
            if number == 0 and not _header(header, [cell.strip() for cell in cells], problems):
                return None
            if number > 0 and any(cell.strip() for cell in cells):
                _row(root, list(header.value), cells, reader.line_num, problems)
    except csv.Error as error:
        problems.take([Problem(file, reader.line_num, "", f"not CSV: {error}")])
        return None
    return header, root


def _header(header: Node, cells: list[str], problems: Problems) -> bool:
    for number, cell in enumerate(cells, start=1):
        if not cell or cell in header.value:
            problems.add(
                header, f"column {number} has {'the name of another' if cell else 'no name'}"
            )
            return False
        header.value[cell] = Node(cell, header.file, 1, key=cell, parent=header, text=cell)
    if "name" not in cells:
        problems.add(header, "the first line must name the columns, `name` among them")
        return False
    return True


def _row(root: Node, columns: list[str], cells: list[str], line: int, problems: Problems) -> None:
    values = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
    name = values.get("name", "")
    row = Node({}, root.file, line, key=name, parent=root)
    if len(cells) != len(columns):
        problems.add(row, f"has {len(cells)} cells, the first line {len(columns)}")
    elif (first := root.value.get(name)) is not None:
        problems.add(row, f"the name {shown(name)} again, already in line {first.line}")
    else:
        root.value[name] = row
        for column, text in values.items():
            row.value[column] = _cell(row, column, text, problems)


def _cell(row: Node, column: str, text: str, problems: Problems) -> Node:
    cell = Node(text, row.file, row.line, key=column, parent=row, text=text)
    try:
        cell.value = scalar(text)
    except ValueError as error:
        problems.add(cell, str(error))
    return cell
