"""The published tables: columns that never move, rows that never go."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.columns import (
    FIRST_COLUMNS,
    columns_of,
    counts_by_column,
    family_of,
    new_columns,
    releases_to_come,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._condense.tables import (
    DAILY_HEADER,
    MirrorsTable,
    read_daily_table,
    read_mirrors_table,
)


@pytest.mark.parametrize(
    ("release", "arch", "columns"),
    [
        ("f33", "x86_64", ("f33", "fedora", "x86_64")),
        ("f29", "x86_64", ("f29", "fedora", "x86_64", "x86_64_f")),
        ("f50", "aarch64", ("f50", "fedora", "arm64")),
        ("modular_f28", "i386", ("modular_f28", "modular", "x86_32", "x86_32_f")),
        ("modular_f50", "arm", ("modular_f50", "modular", "arm")),
        ("rawhide", "ppc64le", ("rawhide", "fedora", "ppc64le", "ppc_f")),
        (
            "rawhide_modular",
            "ppc",
            ("modular_rawhide", "rawhide", "modular", "fedora", "ppc", "ppc_f"),
        ),
        ("cisco_rawhide", "s390", ("rawhide", "fedora", "s390")),
        ("cisco_33", "x86_64", ("unk_rel", "x86_64")),
        ("epel8", "ppc64", ("epel8", "epel", "ppc64", "ppc_e")),
        ("epel11", "x86_64", ("epel11", "epel", "x86_64", "x86_64_e")),
        ("playground_epel8", "mips64", ("epel8", "epel", "mips")),
        ("epel_next8", "x86_64", ("unk_rel", "x86_64", "x86_64_e")),
        ("rhel8", "i386", ("rhel", "epel", "x86_32", "x86_32_e")),
        ("rhel8", "ppc64", ("rhel", "epel", "ppc64")),
        ("unknown_repo", "unknown_arch", ("unk_rel", "unk_arc")),
        ("unknown_repo", "sparc64", ("unk_rel", "sparc")),
        ("unknown_repo", "alpha", ("unk_rel", "alpha")),
    ],
)
def test_a_client_counts_where_it_always_did(
    release: str, arch: str, columns: tuple[str, ...]
) -> None:
    assert columns_of(release, arch) == columns


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ("f08", ("fedora", "8")),
        ("rawhide", ("fedora", "rawhide")),
        ("modular_f33", ("fedora-modular", "33")),
        ("rawhide_modular", ("fedora-modular", "rawhide")),
        ("epel10", ("epel", "10")),
        ("epel_next9", ("epel-next", "9")),
        ("playground_epel8", ("epel-playground", "8")),
        ("rhel7", ("rhel", "7")),
        ("cisco_33", ("fedora-cisco-openh264", "33")),
        ("unknown_repo", ("unknown", "")),
    ],
)
def test_people_are_told_family_and_release(release: str, family: tuple[str, str]) -> None:
    assert family_of(release) == family


@pytest.mark.parametrize(
    ("day", "known", "to_come"),
    [
        (date(2021, 9, 27), ["f50", "f55", "epel11", "epel19"], ["f56", "modular_f99", "epel20"]),
        (date(2026, 11, 23), ["f65", "rhel20"], ["f66", "cisco_66", "epel_next21"]),
        (date(2007, 5, 1), ["f27", "epel14"], ["f28", "epel15", "rhel99"]),
    ],
)
def test_releases_far_ahead_are_not_of_their_day(
    day: date, known: list[str], to_come: list[str]
) -> None:
    found = releases_to_come(day)
    assert set(found) >= set(to_come)
    assert set(found).isdisjoint(known)


def test_the_first_client_does_not_count_as_it_never_did() -> None:
    clients = {("f33", "x86_64"): 2, ("epel8", "arm"): 1}
    counts = counts_by_column(clients, ("f33", "x86_64"))
    assert counts == {"f33": 1, "fedora": 1, "x86_64": 1, "epel8": 1, "epel": 1, "arm": 1}


def test_new_columns_come_in_a_fixed_order() -> None:
    counted = ["modular_f40", "epel11", "f50", "epel10", "f40", "fedora"]
    assert new_columns(counted, FIRST_COLUMNS) == ["f40", "f50", "modular_f40", "epel10", "epel11"]


def cells(line: str) -> dict[str, str]:
    table = MirrorsTable()
    return dict(zip(table.columns, line.split(",")[1:], strict=False))


def test_incident_new_release_gets_a_column_at_the_end_that_never_moves(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-all.csv"
    table = MirrorsTable()
    table.replace("2029-04-01", {"epel11": 3, "epel": 3})
    path.write_bytes(table.to_bytes())
    table = read_mirrors_table(path)
    table.replace("2029-04-02", {"f50": 7, "fedora": 7})
    path.write_bytes(table.to_bytes())
    header, zeros, first, second = path.read_text().splitlines()
    assert header.endswith(",85-modular_f39,86-epel11,87-f50")
    assert zeros == "1970-01-02" + ",0" * 86
    assert first.startswith("2029-04-01,0,")
    assert first.endswith(",0,3,0")
    assert second.endswith(",0,0,7")
    assert read_mirrors_table(path).to_bytes() == path.read_bytes()


def test_rows_of_files_with_fewer_columns_are_filled_up_and_none_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-all.csv"
    old = [f"{number:02}-{name}" for number, name in enumerate(FIRST_COLUMNS[:63], 2)]
    short = ",".join(["1970-01-01", *old])
    path.write_text(
        f"{short}\n{short},65-f30\n1970-01-02{',0' * 63}\n2015-05-05{',1' * 63}\n"
        f"2015-05-05{',2' * 63}\n2021-09-7{',3' * 64}\n2021-10-1,,\n"
    )
    lines = read_mirrors_table(path).to_bytes().decode().splitlines()
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
        MirrorsTable([*FIRST_COLUMNS, "odd"]).to_bytes().decode(),
        MirrorsTable([*FIRST_COLUMNS, "f40", "f40"]).to_bytes().decode(),
        MirrorsTable([*FIRST_COLUMNS, "f33"]).to_bytes().decode(),
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
        read_mirrors_table(path)


def test_years_add_what_the_file_of_all_years_lacks(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-2020.csv"
    path.write_text("2020-12-31,1\n2020-12-30,1\n")
    table = MirrorsTable(rows={"2020-12-30": [("5",)]})
    read_mirrors_table(path, into=table)
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
