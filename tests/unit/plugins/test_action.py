"""Which modules show their progress."""

from __future__ import annotations

from pathlib import Path

PLUGINS = Path(__file__).parents[3] / "plugins"


def test_every_module_that_tells_its_progress_shows_it_in_a_playbook() -> None:
    telling = {
        path.name
        for path in (PLUGINS / "modules").glob("*.py")
        if "watched=True" in path.read_text(encoding="utf-8")
    }
    assert "http_log_sync.py" in telling
    # and that of the status is its own
    actions = {path.name for path in (PLUGINS / "action").glob("*.py")}
    assert actions - {"dnf_counting_info.py"} == telling
