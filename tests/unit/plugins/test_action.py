"""The modules that show their progress."""

from __future__ import annotations

from pathlib import Path

import yaml

COLLECTION = Path(__file__).parents[3]


def test_every_module_that_is_watched_shows_its_progress_and_has_the_defaults_of_the_group() -> (
    None
):
    watched = {
        path.stem
        for path in (COLLECTION / "plugins" / "modules").glob("*.py")
        if "watched=True" in path.read_text(encoding="utf-8")
    }
    assert "http_log_sync" in watched
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert {*runtime["action_groups"]["watched"]} == watched
    plugin = {"action_plugin": "fedora_infra.dnf_counting.watched"}
    assert runtime["plugin_routing"]["modules"] == dict.fromkeys(watched, plugin)
