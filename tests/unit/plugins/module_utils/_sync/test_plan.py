"""Which hosts and days a sync asks for; when the whole counts as failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.days_and_weeks import (
    days_between,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.memory import (
    HostMemory,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.outcome import (
    HostOutcome,
    failure,
    gaps,
    silent_hosts,
    updated_memory,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.plan import (
    HostPlan,
    HostSource,
    plan_hosts,
    sources_of,
)

LAST = date(2026, 11, 20)
WINDOW = days_between(LAST - timedelta(days=2), LAST)
SINCE = date(2026, 1, 1)


def outcome(host: str, status: str = "made", with_logs: Sequence[date] = ()) -> HostOutcome:
    return HostOutcome(host, status, (), 1, 2.0, f"why {host}", tuple(with_logs))


def test_sources_of_names_and_mappings() -> None:
    hosts = ["proxy02", {"name": "dl01", "source": "/srv/{host}"}, {"name": "proxy01"}, "proxy02"]
    assert sources_of(hosts, "{host}::log/httpd") == [
        HostSource("dl01", "/srv/dl01/"),
        HostSource("proxy01", "proxy01::log/httpd/"),
        HostSource("proxy02", "proxy02::log/httpd/"),
    ]


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param([], id="none"),
        pytest.param(["--rsh=sh"], id="option"),
        pytest.param(["a/../../etc"], id="path"),
        pytest.param(["proxy 01"], id="blank"),
        pytest.param(["proxy01\n"], id="newline"),
        pytest.param([""], id="empty"),
        pytest.param([17], id="number"),
        pytest.param([{"source": "/srv/"}], id="no-name"),
        pytest.param([{"name": "a", "port": 1}], id="unknown-key"),
        pytest.param([{"name": "a", "source": ["/srv/"]}], id="source-list"),
        pytest.param(["a", {"name": "a", "source": "/srv/"}], id="two-sources"),
    ],
)
def test_incident_hostile_config_hosts(hosts: list[object]) -> None:
    with pytest.raises(SettingsError):
        sources_of(hosts, "{host}::log/")


def test_slowest_first_and_before_them_the_unknown(tmp_path: Path) -> None:
    seconds = {"a": 1.0, "b": 30.0, "c": None, "d": 2.0}
    memory = {host: HostMemory(SINCE, spent) for host, spent in seconds.items()}
    sources = [HostSource(host, f"{host}::log/") for host in "abcde"]
    plans = plan_hosts(sources, WINDOW, dest=tmp_path, memory=memory, catch_up_days=0)
    assert [plan.host for plan in plans] == ["c", "e", "b", "d", "a"]
    assert {plan.days for plan in plans} == {tuple(WINDOW)}
    assert {plan.catch_up for plan in plans} == {()}


def test_incident_days_down_reaches_back_to_days_not_known_whole(tmp_path: Path) -> None:
    def have(day: date) -> None:
        folder = tmp_path / f"proxy01/{day:%Y/%m/%d}/http"
        folder.mkdir(parents=True)
        (folder / "a.log").touch()

    whole, half, forgotten = (LAST - timedelta(days=n) for n in (9, 8, 7))
    have(whole)
    have(half)
    memory = {"proxy01": HostMemory(SINCE, 1.0, whole, (whole, forgotten))}
    (plan,) = plan_hosts(
        [HostSource("proxy01", "x::y/")], WINDOW, dest=tmp_path, memory=memory, catch_up_days=10
    )
    expected = set(days_between(LAST - timedelta(days=9), WINDOW[0] - timedelta(days=1)))
    assert set(plan.catch_up) == expected - {whole}


@pytest.mark.parametrize("in_the_way", ["proxy01", "proxy01/2026", "proxy01/2026/11"])
@pytest.mark.parametrize("kind", ["link", "file"])
def test_an_odd_folder_of_one_host_stops_no_other(
    tmp_path: Path, in_the_way: str, kind: str
) -> None:
    odd = tmp_path / in_the_way
    odd.parent.mkdir(parents=True, exist_ok=True)
    if kind == "link":
        odd.symlink_to("elsewhere")
    else:
        odd.touch()
    day = WINDOW[0] - timedelta(days=1)
    memory = {"proxy01": HostMemory(SINCE, 1.0, day, (day,))}
    sources = [HostSource(host, "x::y/") for host in ("proxy01", "proxy02")]
    plans = plan_hosts(sources, WINDOW, dest=tmp_path, memory=memory, catch_up_days=4)
    assert {plan.host: plan.catch_up for plan in plans} == {"proxy01": (day,), "proxy02": (day,)}


@pytest.mark.parametrize(
    ("statuses", "allowed", "fails"),
    [
        (["made", "failed"], None, False),
        (["made", "failed", "unknown"], None, False),
        (["failed", "unknown"], None, True),
        (["failed"], None, True),
        (["missing"], None, False),
        (["made", "failed"], 0, True),
        (["made", "failed"], 1, False),
        (["made", "failed", "unknown"], 1, True),
        (["failed"], 1, False),
    ],
)
def test_threshold(statuses: list[str], allowed: int | None, fails: bool) -> None:
    outcomes = [outcome(f"h{n}", status) for n, status in enumerate(statuses)]
    message = failure(outcomes, allowed)
    assert bool(message) == fails
    for one in outcomes if fails else []:
        assert (one.reason in message) == one.failed


def test_many_failures_are_not_all_spelled_out() -> None:
    message = failure([outcome(f"h{n}", "failed") for n in range(40)], None)
    assert "found 40" in message
    assert message.endswith("(and 35 more)")


@pytest.mark.parametrize(
    ("known", "silent"),
    [
        pytest.param(HostMemory(LAST, last_log=None), False, id="just-listed"),
        pytest.param(HostMemory(SINCE, last_log=LAST - timedelta(days=2)), False, id="two-days"),
        pytest.param(HostMemory(SINCE, last_log=LAST - timedelta(days=3)), True, id="three-days"),
        pytest.param(HostMemory(SINCE, last_log=None), True, id="never"),
        pytest.param(HostMemory(LAST + timedelta(days=400)), False, id="incident-clock_jump"),
    ],
)
def test_silent_hosts(known: HostMemory, silent: bool) -> None:
    found = silent_hosts(["h"], {"h": known}, last_day=LAST, missing_after_days=3)
    assert [host["name"] for host in found] == ["h"] * silent


def test_gaps_are_days_since_a_host_is_listed() -> None:
    early, lacking, late = (LAST - timedelta(days=n) for n in (9, 6, 5))
    plan = HostPlan("h", "x::y/", tuple(WINDOW), (early, lacking, late))
    memory = {"h": HostMemory(LAST - timedelta(days=7))}
    assert gaps([plan], [outcome("h", with_logs=[late])], memory) == {"h": "2026-11-14"}


def test_a_run_for_one_host_forgets_no_other() -> None:
    memory = {"other": HostMemory(SINCE, 9.0)}
    after = updated_memory(memory, [outcome("h")], today=LAST)
    assert after == {"other": memory["other"], "h": HostMemory(LAST, 2.0)}


@pytest.mark.parametrize("day", [date.min, date.max], ids=["first", "last"])
@pytest.mark.parametrize("catch_up_days", [0, 14])
def test_incident_clock_jump_the_first_and_the_last_day_there_is_can_be_asked_for(
    tmp_path: Path, day: date, catch_up_days: int
) -> None:
    sources = sources_of(["p1"], "{host}::log/")
    (plan,) = plan_hosts(sources, [day], dest=tmp_path, memory={}, catch_up_days=catch_up_days)
    assert plan.days == (day,)
    assert len(plan.catch_up) == (13 if (day, catch_up_days) == (date.max, 14) else 0)
