"""Charts of client addresses, from the CSV file that is read by column number."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
    SourceError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.addresses import (
    daily_charts,
    read_daily_clients,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._charts.time_chart import (
    TimeChart,
)

GOLDEN = Path(__file__).parents[4] / "data" / "golden" / "expected" / "mirrorsdata-all.csv"
FIRST = date(2021, 9, 27)
OLD_NAMES = {
    "mirrors-all-points",
    "fedora-os-all",
    "fedora-os-modular",
    "fedora-os-latest",
    "fedora-os-latest-stacked",
    "fedora-hardware-full",
    "fedora-hardware-2nd",
    "fedora-epel-stacked",
    "fedora-stacked",
    "fedora-rev-all-stacked",
    "fedora-select-stacked",
    "epel-all",
    "epel-all-short",
    "epel-stacked",
    "epel-stacked-short",
}


def charts(folder: Path, columns: str, *rows: str) -> dict[str, TimeChart]:
    path = folder / "mirrorsdata-all.csv"
    path.write_text("\n".join([f"1970-01-01,{columns}", *rows]) + "\n", newline="")
    return {chart.name: chart for chart in daily_charts(read_daily_clients(path))}


def series(chart: TimeChart) -> dict[str, tuple[float | None, ...]]:
    return {one.label: one.values for one in chart.figures.series}


def test_golden_days_give_every_image_name_of_old() -> None:
    drawn = {chart.name: chart for chart in daily_charts(read_daily_clients(GOLDEN))}
    assert set(drawn) == OLD_NAMES
    assert len({chart.full_title for chart in drawn.values()}) == len(OLD_NAMES)
    both = drawn["fedora-epel-stacked"]
    assert both.figures.starts[0] == date(2021, 9, 24)
    assert {label: values[0] for label, values in series(both).items()} == {
        "EPEL": 135,
        "Fedora": 270,
    }


def test_incident_new_release_has_its_series_on_its_first_day(tmp_path: Path) -> None:
    drawn = charts(
        tmp_path,
        "02-f34,03-epel9,04-rawhide,05-f50,06-epel11",
        "2031-09-27,10,7,3",
        "2031-09-28,9,6,2,4,1",
    )
    assert series(drawn["fedora-os-latest"]) == {
        "Fedora 34": (10, 9),
        "Fedora 50": (0, 4),
        "Rawhide": (3, 2),
    }
    assert series(drawn["epel-stacked"]) == {"EPEL 9": (7, 6), "EPEL 11": (0, 1)}


def test_reversed_stacks_have_the_newest_at_the_bottom(tmp_path: Path) -> None:
    drawn = charts(tmp_path, "02-f33,03-f34", "2021-09-27,2,1")
    assert list(series(drawn["fedora-stacked"])) == ["Fedora 33", "Fedora 34"]
    assert list(series(drawn["fedora-rev-all-stacked"])) == ["Fedora 34", "Fedora 33"]


def test_a_missing_day_is_a_gap_and_a_row_of_zeros_is_no_day(tmp_path: Path) -> None:
    rows = ("1970-01-02,0", "2021-09-27,5", "2021-09-29,7", "2021-10-1,0")
    drawn = charts(tmp_path, "02-epel", *rows)
    assert series(drawn["fedora-epel-stacked"]) == {"EPEL": (5, None, 7)}


def test_a_day_of_one_digit_counts_with_the_others_of_that_day(tmp_path: Path) -> None:
    rows = ("2021-10-1,2,3", "2021-10-01,5", "2021-10-02,7,1")
    drawn = charts(tmp_path, "02-epel,03-fedora", *rows)
    assert series(drawn["fedora-epel-stacked"]) == {"EPEL": (7, 7), "Fedora": (3, 1)}


def test_incident_double_count_a_row_that_stands_twice_counts_once(tmp_path: Path) -> None:
    rows = ("2021-10-01,4", "2021-10-01,5,2", "2021-10-02,7,1")
    drawn = charts(tmp_path, "02-epel,03-fedora", *rows)
    assert series(drawn["fedora-epel-stacked"]) == {"EPEL": (5, 7), "Fedora": (2, 1)}


def test_days_may_stand_in_any_order(tmp_path: Path) -> None:
    drawn = charts(tmp_path, "02-epel", "2021-09-28,7", "2021-09-27,5")
    assert series(drawn["fedora-epel-stacked"]) == {"EPEL": (5, 7)}


def test_long_times_are_weekly_means_and_the_recent_past_is_in_days(tmp_path: Path) -> None:
    rows = [f"{FIRST + timedelta(days=n)},{n % 7 + 1}" for n in range(700)]
    drawn = charts(tmp_path, "02-epel8", *rows)
    everything, short = drawn["epel-all"], drawn["epel-all-short"]
    assert series(everything) == {"EPEL 8": (4,) * 100}
    assert everything.full_title == (
        "Client addresses per day by EPEL release, as lines, weekly means, 2021-09-27 to 2023-08-27"
    )
    assert len(short.figures.starts) == 365
    assert short.figures.end == FIRST + timedelta(days=699)


def test_dots_of_many_years_are_thinned_and_not_by_weekday(tmp_path: Path) -> None:
    rows = [f"{FIRST + timedelta(days=n)},5,5" for n in range(20_000)]
    dots = charts(tmp_path, "02-epel,03-fedora", *rows)["mirrors-all-points"]
    assert dots.figures.step_days == 8
    assert "One day in 8 is shown" in dots.description


def test_hardware_is_split_by_architecture(tmp_path: Path) -> None:
    drawn = charts(tmp_path, "02-x86_64,03-s390,04-x86_64_e", "2021-09-27,90,4,50")
    assert series(drawn["fedora-hardware-full"]) == {"x86_64": (90,), "s390x": (4,)}
    assert series(drawn["fedora-hardware-2nd"]) == {"s390x": (4,)}


@pytest.mark.parametrize("rows", [(), ("1970-01-02,0,0",), ("2021-09-27,0,0",)])
def test_without_figures_there_are_no_charts(tmp_path: Path, rows: tuple[str, ...]) -> None:
    assert charts(tmp_path, "02-epel,03-fedora", *rows) == {}


@pytest.mark.parametrize(
    "row",
    [
        "2021-09-27,1,2,3",
        "27/09/2021,1",
        "2021-09-27,one",
        "<html>,1",
        "2021-09-27,-,1",
        "2021-09-27,1\x002\r3",
    ],
)
def test_an_error_names_the_line_of_a_wrong_row(tmp_path: Path, row: str) -> None:
    with pytest.raises(OutputError, match=r"mirrorsdata-all\.csv:3: expected a date and a number"):
        charts(tmp_path, "02-epel,03-fedora", "2021-09-26,1,1", row)


def test_a_file_without_such_a_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"mirrorsdata-all\.csv:1: expected columns"):
        charts(tmp_path, "week_end,hits", "2021-09-27,1,1")


def test_a_row_before_any_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mirrorsdata-all.csv"
    path.write_text("2021-09-27,1\n")
    with pytest.raises(OutputError, match=r"mirrorsdata-all\.csv:1: expected"):
        read_daily_clients(path)


def test_a_row_of_no_day_of_the_calendar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected rows of days .* '2021-02-30'"):
        charts(tmp_path, "02-epel", "2021-02-30,1")
