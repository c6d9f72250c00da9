"""The data dictionary."""

from __future__ import annotations

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.files import (
    names_of,
    week_file,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.makers import (
    MACHINES_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.dictionary import (
    MIRRORS_COLUMNS,
    Place,
    chapters_of,
    meaning_of,
    meaning_of_mirrors,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.csv_reader import (
    CSV_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.database import (
    TotalsRow,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._totals.quality import (
    WeekQuality,
)


def test_meanings_name_the_files_of_their_own_profile() -> None:
    prefix = "totals-centos"
    assert meaning_of("recent-centos.csv", prefix) == "The newest 52 weeks of totals-centos.csv."
    assert meaning_of("totals-centos.db.gz", prefix) == "totals-centos.db, compressed."


def test_every_published_column_is_described() -> None:
    chapters = chapters_of(
        ["totals", "totals-centos"],
        folder="countme/",
        mirrors=[Place("mirrors-daily.csv", "mirrors/mirrors-daily.csv")],
    )
    described = {column.name for chapter in chapters for column in chapter.columns}
    for columns in (
        CSV_COLUMNS,
        TotalsRow._fields,
        MACHINES_COLUMNS,
        WeekQuality._fields,
        MIRRORS_COLUMNS,
    ):
        assert set(columns) <= described
    assert all(column.meaning for chapter in chapters for column in chapter.columns)


def test_every_published_file_is_described() -> None:
    for prefix in ("totals", "totals-centos"):
        names = [*names_of(prefix), week_file(prefix, 2699)]
        assert all(meaning_of(name, prefix) for name in names)
    mirrors = ("mirrors-daily.csv", "mirrorsdata-all.csv", "mirrorsdata-2021.csv.gz")
    assert all(meaning_of_mirrors(name) for name in mirrors)
