# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makers of published files. The same input gives the same bytes."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import week_end, week_name, week_start
from .._base.libs import pa, pc, pq
from .._storage.files import open_regular
from .._totals.csv_reader import CSV_COLUMNS, ROW_COLUMNS, CsvWeek
from .._totals.quality import WeekQuality
from .csv_weeks import TEXT_COLUMNS
from .distribution import BaseRepositories
from .machines import Machines, machines_of_week, method_of
from .public_text import csv_text, public_text, refuse_private_columns
from .totals_reader import reading

#: The version of index.json and quality.json. Raise it when a key changes its meaning or goes.
SCHEMA_VERSION = 1

#: The columns of machines.csv except the last one, whose name the base repositories give.
MACHINES_COLUMNS = ("week", "week_start", "week_end", *Machines._fields[:-1])


def write_gzip(source: Path, target: Path) -> None:
    """Compress a file without its name and time, so that the same content gives the same bytes."""
    with (
        open_regular(source) as reader,
        target.open("wb") as writer,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=writer, mtime=0) as packed,
    ):
        shutil.copyfileobj(reader, packed, 1 << 20)


WeekWriter = Callable[[CsvWeek], None]


def at_least(week: CsvWeek, min_hits: int) -> CsvWeek:
    """Return the week without the rows that have too few hits to be published."""
    if min_hits <= 1:
        return week
    return CsvWeek(week.week, week.rows.filter(pc.greater_equal(week.rows["hits"], min_hits)))


@contextlib.contextmanager
def weeks_as_csv(target: Path) -> Iterator[WeekWriter]:
    """Return a writer of weeks with the columns and line ends of totals.csv."""
    with target.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(CSV_COLUMNS)

        def write(week: CsvWeek) -> None:
            span = (str(week_start(week.week)), str(week_end(week.week)))
            columns = [_cells(week, name) for name in ROW_COLUMNS]
            rows.writerows((*span, *cells) for cells in zip(*columns, strict=True))

        yield write


def _cells(week: CsvWeek, name: str) -> list[Any]:
    if name not in TEXT_COLUMNS:
        return list(week.rows[name].to_pylist())
    encoded = pc.dictionary_encode(week.rows[name]).combine_chunks()
    cells = [csv_text(text) for text in encoded.dictionary.to_pylist()]
    return [cells[index] for index in encoded.indices.to_pylist()]


@contextlib.contextmanager
def weeks_as_parquet(target: Path) -> Iterator[WeekWriter]:
    """Return a writer of weeks with real types; each week is a row group, so readers can skip it."""
    schema = pa.schema(
        [
            *((name, pa.date32()) for name in ("week_start", "week_end")),
            *((name, pa.string() if name in TEXT_COLUMNS else pa.int64()) for name in ROW_COLUMNS),
        ]
    )
    with pq.ParquetWriter(str(target), schema, compression="zstd") as writer:

        def write(week: CsvWeek) -> None:
            count = week.rows.num_rows
            span = [
                pa.repeat(pa.scalar(day, pa.date32()), count)
                for day in (week_start(week.week), week_end(week.week))
            ]
            columns = [*span, *(week.rows[name] for name in ROW_COLUMNS)]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=max(count, 1))

        yield write


def write_machines_csv(
    target: Path,
    totals_db: Path,
    weeks: Iterable[int],
    *,
    min_hits: int,
    base: BaseRepositories,
) -> None:
    """Write the machines of each week by both methods.

    Kinds of systems with fewer machines than ``min_hits`` are left out.
    """
    columns = (*MACHINES_COLUMNS, base.column)
    refuse_private_columns(columns, target.name)
    with target.open("w", encoding="utf-8", newline="") as opened, reading(totals_db) as connection:
        rows = csv.writer(opened)
        rows.writerow(columns)
        for week in weeks:
            span = (week_name(week), str(week_start(week)), str(week_end(week)))
            for one in machines_of_week(connection, week, base):
                if one.machines >= min_hits:
                    system = [
                        csv_text(public_text(text, name))
                        for name, text in zip(Machines._fields[:4], one[:4], strict=True)
                    ]
                    rows.writerow((*span, *system, *one[4:]))


def write_machines_readme(
    target: Path, *, machines_csv: str, min_hits: int, base: BaseRepositories
) -> None:
    """Write the method by which the machines are counted."""
    text = method_of(base, machines_csv=machines_csv, min_hits=min_hits)
    target.write_text(text, "utf-8")


def write_quality_csv(target: Path, quality: Sequence[WeekQuality]) -> None:
    """Write the quality of each week; a fact that is not known is empty."""
    refuse_private_columns(WeekQuality._fields, target.name)
    with target.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(WeekQuality._fields)
        rows.writerows(map(_quality_cell, one) for one in quality)


def _quality_cell(value: object) -> object:
    if isinstance(value, str):
        return csv_text(public_text(value))
    return int(value) if isinstance(value, bool) else value


def write_quality_json(target: Path, quality: Sequence[WeekQuality]) -> None:
    """Write the quality of each week; a fact that is not known is null."""
    weeks = []
    for one in quality:
        cells = {
            name: public_text(cell) if isinstance(cell, str) else cell
            for name, cell in one._asdict().items()
        }
        weeks.append(cells)
    target.write_bytes(as_json({"schema_version": SCHEMA_VERSION, "weeks": weeks}))


def as_json(content: object) -> bytes:
    """Return JSON in the one form of all published files; ASCII only."""
    return json.dumps(content, indent=1).encode("ascii") + b"\n"
