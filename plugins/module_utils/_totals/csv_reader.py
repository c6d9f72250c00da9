# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of ``totals.csv``: read week by week, with the rows of one week in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from .._base.days_and_weeks import week_end, week_of_day
from .._base.errors import SourceError, printable
from .._base.libs import np, pa, pa_csv, pc
from .._storage.files import open_regular
from .database import TotalsRow

#: The columns of a row after its week.
ROW_COLUMNS = ("hits", *TotalsRow._fields[2:])
CSV_COLUMNS = ("week_start", "week_end", *ROW_COLUMNS)

#: Small blocks keep memory low: 330 MiB for a file of 725 MB. A row must fit into a block. It comes
#: from a line of a log, and logs have had lines of 10 MB, so larger blocks are tried, too.
_BLOCK_BYTES = (4 << 20, 64 << 20, 256 << 20)

_ROW_NUMBER = re.compile(r"Row #([0-9]+)")


class CsvWeek(NamedTuple):
    """The rows of one week, in the order of the file, as an Arrow table of ROW_COLUMNS."""

    week: int
    rows: Any


class _Piece(NamedTuple):
    """Adjacent rows of one week."""

    start: str
    """The cell ``week_start``."""
    line: int
    """The number of its first row in the file. The header has the number 1."""
    batch: Any


def weeks_of_csv(path: Path, *, ascending: bool = True) -> Iterator[CsvWeek]:
    """Yield the weeks of a totals.csv, each with adjacent rows.

    An earlier system appended rows of weeks that the file had before. Without ``ascending``, such a
    week is yielded once more. Raises SourceError with the number of the line if the file has other
    columns or a row that cannot be read. With ``ascending``, an earlier week after a later one
    raises SourceError, too.
    """
    open_regular(path).close()
    yielded = 0
    for block_bytes in _BLOCK_BYTES:
        try:
            for number, week in enumerate(_weeks(path, block_bytes, ascending=ascending)):
                if number >= yielded:
                    yielded += 1
                    yield week
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error) or block_bytes == _BLOCK_BYTES[-1]:
                row = _ROW_NUMBER.search(str(error))
                line = int(row[1]) if row else 1
                raise _not_totals(path, line, printable(str(error))) from error
        else:
            return


def _weeks(path: Path, block_bytes: int, *, ascending: bool) -> Iterator[CsvWeek]:
    pieces: list[_Piece] = []
    for piece in _pieces(path, block_bytes):
        before = pieces[0].start if pieces else ""
        if before and piece.start != before:
            yield _week(path, pieces)
            pieces = []
        if ascending and piece.start < before:
            found = f"the week of {printable(piece.start)} after that of {before}"
            raise _not_totals(path, piece.line, found)
        pieces.append(piece)
    if pieces:
        yield _week(path, pieces)


def _pieces(path: Path, block_bytes: int) -> Iterator[_Piece]:
    reader = pa_csv.open_csv(
        str(path),
        read_options=pa_csv.ReadOptions(block_size=block_bytes, use_threads=False),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={
                **dict.fromkeys(CSV_COLUMNS, pa.string()),
                "hits": pa.int64(),
                "sys_age": pa.int64(),
            },
            null_values=[],
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )
    if tuple(reader.schema.names) != CSV_COLUMNS:
        raise _not_totals(path, 1, f"the columns {printable(', '.join(reader.schema.names))}")
    line = 2
    with reader:
        for batch in reader:
            weeks = pc.dictionary_encode(batch.column(0))
            indices = weeks.indices.to_numpy()
            starts = [0, *(np.flatnonzero(np.diff(indices)) + 1).tolist(), batch.num_rows]
            for first, after in pairwise(starts):
                if after > first:
                    text = weeks.dictionary[int(indices[first])].as_py()
                    yield _Piece(text, line + first, batch.slice(first, after - first))
            line += batch.num_rows


def _week(path: Path, pieces: list[_Piece]) -> CsvWeek:
    start, line, _batch = pieces[0]
    rows = pa.Table.from_batches([piece.batch for piece in pieces])
    try:
        week = week_of_day(_monday(start))
    except ValueError as error:
        raise _not_totals(path, line, f"the week_start {printable(start)}") from error
    ends = rows["week_end"].unique().to_pylist()
    if ends != [str(week_end(week))]:
        found = f"the week_end {printable(str(ends))} of the week of {start}"
        raise _not_totals(path, line, found)
    return CsvWeek(week, rows.select(list(ROW_COLUMNS)))


def _monday(text: str) -> date:
    day = date.fromisoformat(text)
    if day.isoformat() != text or day.weekday() != 0:
        raise ValueError(text)
    return day


def _not_totals(path: Path, line: int, found: str) -> SourceError:
    return SourceError(
        f"{path}, line {line}",
        expected=f"rows of {','.join(CSV_COLUMNS)}, week by week",
        found=found,
        advice="Get a whole copy of the file, or let countme_totals write it again.",
    )
