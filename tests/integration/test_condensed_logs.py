"""Several condensed logs: each has its own data, folders, charts and place in the report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.fedora_infra.dnf_counting.tests.support.condensing import LOG, Place, line
from ansible_collections.fedora_infra.dnf_counting.tests.support.role_tasks import ROLE, run_tasks
from ansible_collections.fedora_infra.dnf_counting.tests.support.site import totals_of

README = Path(__file__).parents[2] / "roles" / "web_data_analysis" / "README.md"
DAY, ROTATED = "2031-09-27", "2031-09-28"


def documented_logs(root: Path) -> list[dict[str, Any]]:
    """The example of the README, with folders below ``root``."""
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "almalinux" in block]
    logs: list[dict[str, Any]] = yaml.safe_load(example)["web_data_analysis_condensed_logs"]
    for log in logs:
        log["data_dir"] = str(root / "days" / log["name"])
        log["csv_dir"] = str(root / "html" / log["name"])
    return logs


def write_logs(root: Path) -> list[dict[str, Any]]:
    """Write a day of both logs of the README."""
    logs = documented_logs(root)
    requests = {
        LOG: ["fedora-33", "fedora-34", "epel-8"],
        logs[1]["log_name"]: ["baseos-9", "appstream-9", "baseos-10", "fedora-33"],
    }
    folder = root / "combined" / ROTATED.replace("-", "/")
    folder.mkdir(parents=True)
    for name, repos in requests.items():
        text = "".join(line(f"192.0.2.{n}", DAY, repo) for n, repo in enumerate(repos))
        (folder / name).write_text(text)
    return logs


def variables(root: Path) -> dict[str, Any]:
    return {
        "web_data_analysis_combined_dir": str(root / "combined"),
        "web_data_analysis_require_mount": "",
        "web_data_analysis_since": ROTATED,
        "web_data_analysis_until": ROTATED,
        "web_data_analysis_run_id": "",
    }


FACTS: dict[str, Any] = {"web_data_analysis_failures": []}


def kept(root: Path, name: str, value: str) -> dict[str, Any]:
    """A task that keeps a value in a file."""
    return {
        "ansible.builtin.copy": {
            "dest": str(root / name),
            "content": f"{{{{ {value} | to_json }}}}",
        }
    }


def rows(folder: Path) -> dict[str, str]:
    header, _zeros, row = (folder / "mirrorsdata-all.csv").read_text().splitlines()
    names = [name.partition("-")[2] for name in header.split(",")[1:]]
    cells = zip(names, row.split(",")[1:], strict=True)
    return {name: cell for name, cell in cells if cell != "0"}


def test_each_condensed_log_is_counted_and_shown_by_its_own_data(tmp_path: Path) -> None:
    logs = write_logs(tmp_path)
    totals = totals_of(tmp_path)
    profile = {
        "name": "fedora",
        "log_name": LOG,
        "prefix": "totals",
        "totals_db": str(totals.db),
        "totals_csv": str(totals.csv),
        "raw_dir": str(tmp_path / "raw"),
    }
    publish = {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "publish.yml"}}
    code, output = run_tasks(
        tmp_path,
        "condense.yml",
        kept(tmp_path, "units", "web_data_analysis_condensed_logs_units"),
        publish,
        kept(tmp_path, "failures", "web_data_analysis_failures"),
        facts=FACTS,
        **variables(tmp_path),
        web_data_analysis_condensed_logs=logs,
        web_data_analysis_profiles=[profile],
        web_data_analysis_publish_dir=str(tmp_path / "html" / "countme"),
        web_data_analysis_min_hits=0,
    )
    assert code == 0, output
    assert json.loads((tmp_path / "failures").read_text()) == []
    stages = json.loads((tmp_path / "units").read_text())
    assert [(stage, [unit["name"] for unit in units]) for stage, units in stages] == [
        ("condense", [ROTATED, "csv"]),
        ("condense almalinux", [ROTATED, "csv"]),
    ]
    html = tmp_path / "html"
    # the first client of a date does not count
    assert rows(html / "mirrors") == {"f34": "1", "fedora": "1", "epel8": "1", "epel": "1"} | {
        "x86_64": "2",
        "x86_64_e": "1",
    }
    assert rows(html / "almalinux") == {
        "almalinux9": "1",
        "almalinux10": "1",
        "almalinux": "2",
        "unknown": "1",
        "x86_64": "3",
    }
    images = {path.stem for path in (html / "images").glob("*.png")}
    assert {"fedora-stacked", "epel-stacked", "releases-stacked-almalinux"} <= images
    downloads = (html / "downloads.html").read_text()
    assert "Client addresses a day, mirrors" in downloads
    assert "Client addresses a day, AlmaLinux" in downloads
    assert 'href="almalinux/mirrorsdata-all.csv"' in downloads


def test_the_default_of_the_role_makes_the_files_that_the_module_makes(tmp_path: Path) -> None:
    write_logs(tmp_path)
    place = Place(tmp_path)
    place.run(ROTATED)
    code, output = run_tasks(
        tmp_path,
        "condense.yml",
        **variables(tmp_path),
        web_data_analysis_condense_dir=str(tmp_path / "role" / "days"),
        web_data_analysis_mirrors_csv_dir=str(tmp_path / "role" / "csv"),
    )
    assert code == 0, output
    made = tmp_path / "role" / "days" / f"{ROTATED}.parquet"
    assert made.read_bytes() == (place.data_dir / made.name).read_bytes()
    for path in place.csv_dir.glob("*.csv"):
        assert (tmp_path / "role" / "csv" / path.name).read_bytes() == path.read_bytes()


def test_a_log_that_fails_stops_no_other_and_is_named(tmp_path: Path) -> None:
    logs = write_logs(tmp_path)
    logs.insert(
        0, {**logs[1], "name": "odd", "repositories": {"names": [{"name": "(", "release": "a"}]}}
    )
    code, output = run_tasks(
        tmp_path,
        "condense.yml",
        kept(tmp_path, "failures", "web_data_analysis_failures"),
        facts=FACTS,
        **variables(tmp_path),
        web_data_analysis_condensed_logs=logs,
    )
    assert code == 0, output
    (failure,) = json.loads((tmp_path / "failures").read_text())
    assert failure.startswith("condense odd: option repositories.names, number 1: expected")
    assert rows(tmp_path / "html" / "mirrors")["f34"] == "1"
    assert rows(tmp_path / "html" / "almalinux")["almalinux"] == "2"


def test_a_log_without_a_name_is_not_condensed(tmp_path: Path) -> None:
    code, output = run_tasks(
        tmp_path, "condense.yml", **variables(tmp_path), web_data_analysis_condense_log=""
    )
    assert code == 0, output
    assert not (tmp_path / "days").exists()
