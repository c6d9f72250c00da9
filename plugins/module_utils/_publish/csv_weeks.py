# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of totals.csv as they are published: checked, without addresses, week by week."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._base.errors import OutputError, SourceError
from .._base.libs import np, pa, pc
from .._totals.csv_reader import ROW_COLUMNS, CsvWeek, weeks_of_csv
from .public_text import has_address, public_text
from .totals_reader import WeekFigures, format_weeks

TEXT_COLUMNS = ("os_name", "os_version", "os_variant", "os_arch", "repo_tag", "repo_arch")

#: One client may name a repository like an address. If half of the hits of a week have an address in
#: a name, a column holds something else than it should.
_LEAK_SHARE = 0.5


def figures_of(week: CsvWeek) -> WeekFigures:
    """Return the number of rows and hits of a week."""
    return WeekFigures(week.rows.num_rows, pc.sum(week.rows["hits"]).as_py() or 0)


def csv_figures(path: Path) -> dict[int, WeekFigures]:
    """Return the number of rows and hits of each week of a totals.csv."""
    return {week.week: figures_of(week) for week in weeks_of_csv(path)}


def refuse_other_state(
    path: Path,
    found: Mapping[int, WeekFigures],
    expected: Mapping[int, WeekFigures],
    totals_db: Path,
) -> None:
    """Raise SourceError if the CSV belongs to another state of the totals than the database."""
    differing = [w for w in {*found, *expected} if found.get(w) != expected.get(w)]
    if differing:
        raise SourceError(
            path,
            expected=f"the rows of {totals_db}",
            found=f"another state ({len(differing)} weeks differ: {format_weeks(differing)})",
            advice="Let countme_totals finish, or have it write the file again; then run again.",
        )


def public_week(week: CsvWeek) -> CsvWeek:
    """Return the week without addresses in names; rows that became equal are merged.

    Raises OutputError if addresses stand in so many rows that a column must be wrong.
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
    """Return a digest of the rows of a week."""
    sink = pa.BufferOutputStream()
    # a copy of the rows, so that the digest does not depend on the blocks of the file
    rows = week.rows.take(pa.array(np.arange(week.rows.num_rows))).combine_chunks()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _public_column(column: Any, name: str) -> Any:
    """Return the column with addresses replaced; None if it has none."""
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
    if masked.any() and hits[masked].sum() >= _LEAK_SHARE * hits.sum():
        raise OutputError(
            f"week {format_weeks([week.week])}",
            expected="names of systems and repositories",
            found="addresses in at least half of the hits",
            advice="Check the totals, which must never hold addresses. Nothing was published.",
        )
