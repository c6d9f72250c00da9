# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``totals.csv`` read week by week, whatever its size; the rows of one week are in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from .._base.days_and_weeks import week_end, week_of_day
from .._base.errors import OutputError, SourceError, printable
from .._base.libs import np, pa, pa_csv, pc
from .._storage.files import open_regular
from .._totals.csv_file import CSV_COLUMNS
from .public_text import has_address, public_text
from .totals_reader import WeekFigures, format_weeks, monday

TEXT_COLUMNS = ("os_name", "os_version", "os_variant", "os_arch", "repo_tag", "repo_arch")
ROW_COLUMNS = CSV_COLUMNS[2:]

#: Small blocks keep memory low: 330 MiB for a file of 725 MB. A row must fit into a block; it comes
#: from a line of a log, and those of 10 MB have been seen, so larger blocks are tried too.
_BLOCK_BYTES = (4 << 20, 64 << 20)

#: A repository may be named like an address by one client. Where half the hits of a week have an
#: address in a name, a column is not what it should be.
LEAK_SHARE = 0.5


class CsvWeek(NamedTuple):
    """The rows of one week, in the order of totals.csv: an Arrow table of ROW_COLUMNS."""

    week: int
    rows: Any

    @property
    def figures(self) -> WeekFigures:
        return WeekFigures(self.rows.num_rows, pc.sum(self.rows["hits"]).as_py() or 0)


def weeks_of_csv(path: Path) -> Iterator[CsvWeek]:
    """The weeks of a totals.csv. Raises SourceError where it is not one, or not ascending."""
    open_regular(path).close()
    last = -1
    for block_bytes in _BLOCK_BYTES:
        try:
            for week in _weeks(path, block_bytes):
                if week.week > last:
                    last = week.week
                    yield week
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error) or block_bytes == _BLOCK_BYTES[-1]:
                raise _not_totals(path, printable(str(error))) from error
        else:
            return


def _weeks(path: Path, block_bytes: int) -> Iterator[CsvWeek]:
    current = ""
    pieces: list[Any] = []
    for start, piece in _pieces(path, block_bytes):
        if start != current and pieces:
            yield _week(path, current, pieces)
            pieces = []
        if start < current:
            raise _not_totals(path, f"the week of {printable(start)} after that of {current}")
        current = start
        pieces.append(piece)
    if pieces:
        yield _week(path, current, pieces)


def csv_figures(path: Path) -> dict[int, WeekFigures]:
    """Rows and hits of each week of a totals.csv."""
    return {week.week: week.figures for week in weeks_of_csv(path)}


def refuse_other_state(
    path: Path,
    found: Mapping[int, WeekFigures],
    expected: Mapping[int, WeekFigures],
    totals_db: Path,
) -> None:
    """Raises SourceError where the CSV belongs to another state of the totals than the database."""
    differing = [w for w in {*found, *expected} if found.get(w) != expected.get(w)]
    if differing:
        raise SourceError(
            path,
            expected=f"the rows of {totals_db}",
            found=f"another state ({len(differing)} weeks differ: {format_weeks(differing)})",
            advice="Let countme_totals finish, or have it write the file again; then run again.",
        )


def public_week(week: CsvWeek) -> CsvWeek:
    """The week without addresses in names; rows that became equal are one row.

    Raises OutputError where that is more than some client's joke.
    """
    _refuse_leak(week)
    replaced = {name: _public_column(week.rows[name], name) for name in TEXT_COLUMNS}
    if not any(column is not None for column in replaced.values()):
        return week
    rows = week.rows
    for name, column in replaced.items():
        if column is not None:
            rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    keys = [name for name in ROW_COLUMNS if name != "hits"]
    merged = rows.group_by(keys, use_threads=False).aggregate([("hits", "sum")])
    return CsvWeek(week.week, merged.rename_columns([*keys, "hits"]).select(list(ROW_COLUMNS)))


def digest_of(week: CsvWeek) -> str:
    """A digest of a week's rows."""
    sink = pa.BufferOutputStream()
    # taken anew, so that it does not matter where the blocks of the file ended
    rows = week.rows.take(pa.array(np.arange(week.rows.num_rows))).combine_chunks()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _public_column(column: Any, name: str) -> Any:
    """The column with addresses replaced; None where there are none."""
    encoded = pc.dictionary_encode(column).combine_chunks()
    texts = encoded.dictionary.to_pylist()
    public = [public_text(text, name) for text in texts]
    if public == texts:
        return None
    return pa.array(public, pa.string()).take(encoded.indices)


def _refuse_leak(week: CsvWeek) -> None:
    masked = np.zeros(week.rows.num_rows, dtype=bool)
    for name in TEXT_COLUMNS:
        encoded = pc.dictionary_encode(week.rows[name]).combine_chunks()
        texts = [has_address(text) for text in encoded.dictionary.to_pylist()]
        if any(texts):
            masked |= np.array(texts)[encoded.indices.to_numpy()]
    hits = week.rows["hits"].to_numpy()
    if masked.any() and hits[masked].sum() >= LEAK_SHARE * hits.sum():
        raise OutputError(
            f"week {format_weeks([week.week])}",
            expected="names of systems and repositories",
            found="addresses in at least half of the hits",
            advice="Look at the totals: they must never hold addresses. Nothing was published.",
        )


def _pieces(path: Path, block_bytes: int) -> Iterator[tuple[str, Any]]:
    """Neighbouring rows of one week each, with the text of their week_start."""
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
        raise _not_totals(path, f"the columns {printable(', '.join(reader.schema.names))}")
    with reader:
        for batch in reader:
            weeks = pc.dictionary_encode(batch.column(0))
            indices = weeks.indices.to_numpy()
            starts = [0, *(np.flatnonzero(np.diff(indices)) + 1).tolist(), batch.num_rows]
            for first, after in pairwise(starts):
                if after > first:
                    text = weeks.dictionary[int(indices[first])].as_py()
                    yield text, batch.slice(first, after - first)


def _week(path: Path, start: str, pieces: list[Any]) -> CsvWeek:
    rows = pa.Table.from_batches(pieces)
    try:
        week = week_of_day(monday(start))
    except ValueError as error:
        raise _not_totals(path, f"the week_start {printable(start)}") from error
    ends = rows["week_end"].unique().to_pylist()
    if ends != [str(week_end(week))]:
        raise _not_totals(path, f"the week_end {printable(str(ends))} of the week of {start}")
    return CsvWeek(week, rows.select(list(ROW_COLUMNS)))


def _not_totals(path: Path, found: str) -> SourceError:
    return SourceError(
        path,
        expected=f"rows of {','.join(CSV_COLUMNS)}, with weeks ascending",
        found=found,
        advice="Have countme_totals write the file again.",
    )
