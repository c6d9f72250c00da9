"""mirrorlist_condense in the situations that the system it replaces was in."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._storage.files import (
    writer_lock,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.condensing import (
    LOG,
    Place,
    line,
    lines,
)
from ansible_collections.fedora_infra.dnf_counting.tests.support.modules import statuses

GOLDEN = Path(__file__).parents[1] / "data" / "golden"


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_incident_new_year(place: Place) -> None:
    rotations = ["2023-12-31", "2024-01-01", "2024-01-02", "2024-02-29", "2024-03-01"]
    for rotated in rotations:
        before = str(date.fromisoformat(rotated) - timedelta(days=1))
        place.write(rotated, lines(10, before) + lines(2, rotated, network=7))
    place.run(*rotations)
    assert {day: row["fedora"] for day, row in place.rows().items()} == {
        "2023-12-30": 9,
        "2023-12-31": 11,
        "2024-01-01": 11,
        "2024-02-28": 9,
        "2024-02-29": 11,
    }
    assert list(place.rows("mirrorsdata-2023.csv")) == ["2023-12-30", "2023-12-31"]
    assert list(place.rows("mirrorsdata-2024.csv")) == ["2024-01-01", "2024-02-28", "2024-02-29"]
    assert place.daily("fedora")["2023-12-31 33"] == 12


def test_incident_counters_not_reset(place: Place) -> None:
    place.write(
        "2021-09-28", lines(50, "2021-09-27", "fedora-34") + lines(9, "2021-09-27", "epel-9")
    )
    place.write("2021-09-29", lines(5, "2021-09-28", "fedora-34"))
    place.run("2021-09-28")
    place.run("2021-09-29")
    second = place.rows()["2021-09-28"]
    assert second == {"f34": 4, "fedora": 4, "x86_64": 4}


def test_incident_new_release_counts_on_its_first_day_and_history_stays(place: Place) -> None:
    place.csv_dir.mkdir()
    shutil.copy(GOLDEN / "expected" / "mirrorsdata-all.csv", place.csv_dir)
    before = place.content()["mirrorsdata-all.csv"].splitlines()
    place.write(
        "2029-04-02", lines(8, "2029-04-01", "fedora-50") + lines(3, "2029-04-01", "epel-11")
    )
    place.write("2029-04-03", lines(2, "2029-04-02", "updates-released-modular-f40"))
    result = place.run("2029-04-02", "2029-04-03")
    assert result["units"][-1]["new_columns"] == ["86-f50", "87-epel11", "88-modular_f40"]
    after = place.content()["mirrorsdata-all.csv"].splitlines()
    assert after[0] == before[0] + b",86-f50,87-epel11,88-modular_f40"
    assert after[1:-2] == [row + b",0,0,0" for row in before[1:]]
    # the first client of a date never counted: it asks for EPEL here
    assert place.rows()["2029-04-01"] == {
        "f50": 8, "epel11": 2, "fedora": 8, "epel": 2, "x86_64": 10, "x86_64_e": 2,
    }  # fmt: skip
    assert place.daily("epel") == {"2029-04-01 11": 3}
    assert place.daily("fedora-modular") == {"2029-04-02 40": 2}


def test_incident_openh264_repo_shows_in_the_result(place: Place) -> None:
    content = lines(9, "2021-09-27") + lines(90, "2021-09-27", "epel-cisco-openh264-9")
    place.write("2021-09-28", content + lines(1, "2021-09-27", "%1b[31m<script>'=cmd"))
    result = place.run("2021-09-28")
    unit = result["units"][0]
    assert unit["unknown_requests"] == 91
    assert unit["unknown_repos"] == [
        {"repo": "'epel-cisco-openh264-9'", "requests": 90},
        {"repo": '"%1b[31m<script>\'"', "requests": 1},
    ]
    assert "2021-09-28: 90 of 100 requests are for 'epel-cisco" in str(result["warnings"][0])
    assert place.rows()["2021-09-27"]["unk_rel"] == 90
    assert place.daily("unknown") == {"2021-09-27 ": 90}


def test_incident_late_logs_and_growing_logs_replace_their_day(place: Place) -> None:
    place.write("2021-09-29", lines(10, "2021-09-28") + lines(3, "2021-09-29"))
    place.run("2021-09-28", "2021-09-29")
    assert place.rows()["2021-09-28"]["fedora"] == 9
    place.write("2021-09-28", lines(5, "2021-09-27") + lines(4, "2021-09-28", network=5))
    late = place.run("2021-09-28", "2021-09-29")
    assert statuses(late) == {"2021-09-28": "made", "2021-09-29": "unchanged", "csv": "made"}
    assert place.rows()["2021-09-28"]["fedora"] == 13
    assert place.rows()["2021-09-27"]["fedora"] == 4
    place.write("2021-09-29", lines(200, "2021-09-28"))
    grown = place.run("2021-09-28", "2021-09-29", diff=True)
    assert "changed input 2021/09/29" in grown["diff"]["after"]
    assert place.rows()["2021-09-28"]["fedora"] == 203
    place.write("2021-09-29", lines(2, "2021-09-28"))
    place.run("2021-09-28", "2021-09-29")
    assert place.rows()["2021-09-28"]["fedora"] == 5


def test_incident_wrong_day_inside_all_days_of_a_stuck_rotation_get_their_rows(
    place: Place,
) -> None:
    week = [f"2021-09-{day}" for day in range(20, 27)]
    place.write("2021-09-27", "".join(lines(4, day) for day in week))
    place.run("2021-09-27")
    assert {day: row["fedora"] for day, row in place.rows().items()} == dict.fromkeys(week, 3)


def test_incident_double_count_plain_and_packed_and_read_again(place: Place) -> None:
    content = lines(30, "2021-09-27") * 2
    place.write("2021-09-28", content)
    place.write("2021-09-28", gzip.compress(content.encode()), ending=".gz")
    result = place.run("2021-09-28")
    assert result["units"][0]["lines"] == 60
    assert place.rows()["2021-09-27"]["fedora"] == 29
    before = place.content()
    (place.src / "2021/09/28" / LOG).unlink()
    assert not place.run("2021-09-28")["changed"]
    (place.data_dir / "2021-09-28.parquet").unlink()
    place.run("2021-09-28")
    assert place.content() == before


def test_incident_corrupt_line_leaves_the_others_counted(place: Place) -> None:
    good = lines(5, "2021-09-27").encode()
    odd = [
        b'1.1.1.1 - - [27/Foo/2021:1:1:1 +0000] "GET /metalink?repo=fedora-33 H" 200 1 "-" "-"',
        line("1.1.1.1", "1999-01-01").encode().rstrip(),
        line("1.1.1.1", "2021-10-27").encode().rstrip(),
        b"\0\0\0/metalink\xff\xfe",
        b"x" * 5_000_000,
        b'192.0.2.9 - - [27/Sep/2021:1:1:1 +0000] "GET /metalink?repo=fedora-33&' + b"a" * 9_000_000
        + b' H" 200 1 "-" "-"',
    ]  # fmt: skip
    place.write("2021-09-28", good + b"\n".join(odd) + b"\n" + good)
    unit = place.run("2021-09-28")["units"][0]
    assert unit["rejects"] == {"bad_date": 1, "garbled": 1, "odd_date": 2, "unrelated": 1}
    assert unit["requests"] == 11
    assert unit["rows"] == 6


def test_incident_hostile_request_names_without_end(place: Place) -> None:
    path = place.write("2021-09-28", lines(5, "2021-09-27"))
    with path.open("a") as log:
        for number in range(300_000):
            log.write(line("192.0.2.1", "2021-09-27", f"fedora-{number}';DROP--{'x' * 50}"))
        for number in range(1000):
            log.write(line("192.0.2.1", "2021-09-27", f"fedora-{number}", arch=f"=cmd{number}"))
    result = place.run("2021-09-28")
    assert result["units"][0]["rows"] < 130
    header = place.content()["mirrorsdata-all.csv"].splitlines()[0].decode()
    assert header.endswith(",100-f54,101-f55")
    # one client for all names that are unknown, those of releases far ahead among them
    assert place.daily("unknown") == {"2021-09-27 ": 1}
    assert all(b"cmd" not in content for content in place.content().values())
    assert len(result["units"][0]["unknown_repos"]) == 20


def test_incident_csv_overwritten_another_log_never_takes_the_place(place: Place) -> None:
    place.write("2021-09-28", lines(5, "2021-09-27"))
    place.run("2021-09-28")
    before = place.content()
    other = place.src / "2021/09/28/mirrors.centos.org-access.log"
    other.write_text(lines(1, "2021-09-27"))
    result = place.run("2021-09-28", log_name=other.name, ok=False)
    assert "Give each log a data_dir" in result["units"][0]["reasons"][0]
    (place.csv_dir / "mirrorsdata-all.csv").write_text("something else\n")
    place.write("2021-09-28", lines(6, "2021-09-27"))
    result = place.run("2021-09-28", ok=False)
    assert "move it away" in result["units"][-1]["reasons"][0]
    assert (place.csv_dir / "mirrorsdata-all.csv").read_text() == "something else\n"
    (place.csv_dir / "mirrorsdata-all.csv").write_bytes(before["mirrorsdata-all.csv"])
    place.run("2021-09-28")
    assert place.rows()["2021-09-27"]["fedora"] == 5


def test_incident_truncated_xz_fails_its_day_only(place: Place) -> None:
    packed = lzma.compress(lines(500, "2021-09-27").encode())
    place.write("2021-09-28", packed[:-40], ending=".xz")
    place.write("2021-09-29", lines(5, "2021-09-28"))
    result = place.run("2021-09-28", "2021-09-29", ok=False)
    assert statuses(result) == {"2021-09-28": "failed", "2021-09-29": "made", "csv": "made"}
    assert list(place.rows()) == ["2021-09-28"]
    place.write("2021-09-28", packed, ending=".xz")
    place.run("2021-09-28", "2021-09-29")
    assert list(place.rows()) == ["2021-09-27", "2021-09-28"]


def test_incident_disk_full_leaves_all_as_it_was(place: Place, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    try:
        place.write("2021-09-28", "".join(
            line(f"10.{n % 250}.{n // 250}.1", "2021-09-27") for n in range(60_000)
        ))  # fmt: skip
        place.data_dir = small / "days"
        result = place.run("2021-09-28", ok=False)
        assert "Free some space" in result["units"][0]["reasons"][0]
        assert sorted(path.name for path in place.data_dir.iterdir()) == [".writing"]
    finally:
        subprocess.run(["umount", small], check=True)
    place.data_dir = tmp_path / "days"
    assert statuses(place.run("2021-09-28")) == {"2021-09-28": "made", "csv": "made"}


def test_incident_nfs_gone_nothing_is_written(place: Place, tmp_path: Path) -> None:
    place.write("2021-09-28", lines(5, "2021-09-27"))
    result = place.run("2021-09-28", require_mount=tmp_path / "share", ok=False)
    assert "Mount the share" in result["msg"]
    assert not place.data_dir.exists()
    marker = tmp_path / "marker"
    marker.touch()
    assert place.run("2021-09-28", require_mount=marker)["changed"]


def test_incident_second_run_is_refused(place: Place) -> None:
    place.write("2021-09-28", lines(5, "2021-09-27"))
    with writer_lock(place.data_dir, run_id="first"):
        result = place.run("2021-09-28", ok=False)
    assert "run first" in result["msg"]
    assert not place.csv_dir.exists()


def test_incident_bad_permissions_files_are_for_those_they_are_for(place: Place) -> None:
    place.write("2021-09-28", lines(5, "2021-09-27"))
    before = os.umask(0o077)
    try:
        place.run("2021-09-28")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.data_dir.glob("*.parquet")}
    assert set(modes.values()) == {0o640}
    assert {path.stat().st_mode & 0o777 for path in place.csv_dir.glob("*.csv")} == {0o644}
