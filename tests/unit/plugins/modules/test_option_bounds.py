"""Numbers that make no sense are refused by all modules, with a message instead of a traceback."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    SettingsError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._module.module import (
    argument_spec,
    check_bounds,
)

MODULES = "ansible_collections.fedora_infra.dnf_counting.plugins.modules"
PATHS = {
    "http_log_sync": {"hosts": ["proxy01"], "dest": "/nonexistent/hosts"},
    "http_log_combine": {"src": "/nonexistent/hosts", "dest": "/nonexistent/combined"},
    "http_log_compress": {"src": "/nonexistent/combined"},
    "mirrorlist_condense": {
        "src": "/nonexistent/combined",
        "log_name": "a.log",
        "data_dir": "/nonexistent/days",
        "csv_dir": "/nonexistent/csv",
    },
    "countme_raw": {"src": "/nonexistent/combined", "log_name": "a.log", "raw_dir": "/nonexistent"},
    "countme_totals": {"raw_dir": "/nonexistent/raw", "totals_db": "/nonexistent/totals.db"},
    "stats_publish": {"dest": "/nonexistent/web", "profiles": []},
}


@pytest.mark.parametrize(
    ("module", "option", "number", "expected"),
    [
        ("http_log_sync", "days", 10_000_000, "1 to 10000"),
        ("http_log_sync", "workers", 0, "1 to 1000"),
        ("http_log_sync", "bandwidth_limit", -1, "at least 0"),
        ("http_log_combine", "days", 0, "1 to 10000"),
        ("http_log_combine", "settle_days", -1, "0 to 10000"),
        ("http_log_compress", "keep_days", 10_000_000, "0 to 10000"),
        ("mirrorlist_condense", "memory_mib", 63, "at least 64"),
        ("mirrorlist_condense", "workers", 0, "1 to 1000"),
        ("countme_raw", "days", 10_000_000, "1 to 10000"),
        ("countme_raw", "workers", 0, "1 to 1000"),
        ("countme_raw", "keep_weeks", 1_000_000, "0 to 1000"),
        ("countme_totals", "suspect_trailing_weeks", 0, "1 to 1000"),
        ("countme_totals", "memory_mib", 63, "at least 64"),
        ("countme_totals", "suspect_percent", "nan", "at least 0"),
        ("stats_publish", "min_hits", -1, "at least 0"),
    ],
)
def test_a_number_out_of_bounds_is_refused(
    capsys: pytest.CaptureFixture[str], module: str, option: str, number: Any, expected: str
) -> None:
    imported = importlib.import_module(f"{MODULES}.{module}")
    with patch_module_args({**PATHS[module], option: number}), pytest.raises(SystemExit):
        imported.main()
    message = json.loads(capsys.readouterr().out)["msg"]
    assert message == f"option {option}: expected {expected}, found {number}. Correct the option."


def test_a_number_within_another_option_is_refused_and_ansible_never_sees_its_bounds() -> None:
    chart = {"most": {"type": "int", "bounds": (0, 100)}}
    options = {"charts": {"type": "list", "elements": "dict", "options": chart}}
    assert argument_spec(options)["charts"]["options"] == {"most": {"type": "int"}}
    check_bounds({"charts": [{"most": 100}, {"most": None}]}, options)
    check_bounds({"charts": None}, options)
    with pytest.raises(SettingsError, match="option most: expected 0 to 100, found 101"):
        check_bounds({"charts": [{"most": 1}, {"most": 101}]}, options)
