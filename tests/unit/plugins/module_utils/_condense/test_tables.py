"""The published tables: columns that never move, rows that never go."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FEDORA_COLUMNS,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.tables import (
    DAILY_HEADER,
    MirrorsTable,
    read_daily_table,
    read_mirrors_table,
)


def empty() -> MirrorsTable:
    return MirrorsTable.empty(FEDORA_COLUMNS)


def test_incident_new_release_gets_a_column_at_the_end_that_never_moves(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-all.csv"
    table = empty()
    table.replace("2029-04-01", {"epel11": 3, "epel": 3})
    path.write_bytes(table.to_bytes())
    table = read_mirrors_table(path, empty())
    table.replace("2029-04-02", {"f50": 7, "fedora": 7})
    path.write_bytes(table.to_bytes())
    header, zeros, first, second = path.read_text().splitlines()
    assert header.endswith(",85-modular_f39,86-epel11,87-f50")
    assert zeros == "1970-01-02" + ",0" * 86
    assert first.startswith("2029-04-01,0,")
    assert first.endswith(",0,3,0")
    assert second.endswith(",0,0,7")
    assert read_mirrors_table(path, empty()).to_bytes() == path.read_bytes()


def test_rows_of_files_with_fewer_columns_are_filled_up_and_none_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-all.csv"
    old = [f"{number:02}-{name}" for number, name in enumerate(FEDORA_COLUMNS.first[:63], 2)]
    short = ",".join(["1970-01-01", *old])
    path.write_text(
        f"{short}\n{short},65-f30\n1970-01-02{',0' * 63}\n2015-05-05{',1' * 63}\n"
        f"2015-05-05{',2' * 63}\n2021-09-7{',3' * 64}\n2021-10-1,,\n"
    )
    lines = read_mirrors_table(path, empty()).to_bytes().decode().splitlines()
    assert lines[2] == "2015-05-05" + ",1" * 63 + ",0" * 21
    assert lines[3] == "2015-05-05" + ",2" * 63 + ",0" * 21
    assert lines[4] == "2021-09-7" + ",3" * 64 + ",0" * 20
    assert lines[5] == "2021-10-1,," + ",0" * 82
    assert len(lines) == 6


@pytest.mark.parametrize(
    "content",
    [
        "1970-01-01,02-epel5,03-epel4\n",
        "1970-01-01,03-epel4\n",
        "1970-01-01,epel4\n",
        MirrorsTable(columns=[*FEDORA_COLUMNS.first, "odd"]).to_bytes().decode(),
        MirrorsTable(columns=[*FEDORA_COLUMNS.first, "f40", "f40"]).to_bytes().decode(),
        MirrorsTable(columns=[*FEDORA_COLUMNS.first, "f33"]).to_bytes().decode(),
        "<html>\n",
        "2021-09-27\n",
        "2021-09-27,1,x\n",
        "2021-09-27" + ",1" * 85 + "\n",
        "\n",
    ],
)
def test_incident_csv_overwritten_what_is_no_such_file_is_left_alone(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "mirrorsdata-all.csv"
    path.write_text(content)
    with pytest.raises(OutputError, match=r"mirrorsdata-all\.csv:[0-9]+: expected .* move it away"):
        read_mirrors_table(path, empty())


def test_years_add_what_the_file_of_all_years_lacks(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-2020.csv"
    path.write_text("2020-12-31,1\n2020-12-30,1\n")
    table = empty()
    table.rows["2020-12-30"] = [("5",)]
    read_mirrors_table(path, table)
    assert table.rows == {"2020-12-30": [("5",)], "2020-12-31": [("1",)]}


def test_daily_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "mirrors-daily.csv"
    table = read_daily_table(path)
    table.replace("2021-09-28", {("fedora", "33", "x86_64"): 5, ("epel", "8", "unknown"): 2})
    table.replace("2021-09-27", {("unknown", "", "unknown"): 1})
    path.write_bytes(table.to_bytes())
    assert path.read_text().splitlines() == [
        DAILY_HEADER,
        "2021-09-27,unknown,,unknown,1",
        "2021-09-28,epel,8,unknown,2",
        "2021-09-28,fedora,33,x86_64,5",
    ]
    assert read_daily_table(path).to_bytes() == path.read_bytes()
    assert read_daily_table(path).clients("2021-09-28") == 7


def test_a_daily_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mirrors-daily.csv"
    path.write_text("2021-09-28,fedora,33,=1+1,5\n")
    with pytest.raises(OutputError, match=r"mirrors-daily\.csv:1: expected date,family"):
        read_daily_table(path)
