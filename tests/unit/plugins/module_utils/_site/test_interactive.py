"""Interactive charts as browsers get them."""

from __future__ import annotations

import json

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._site.interactive import (
    definition_of,
)


def test_the_interpreter_gets_times_as_numbers() -> None:
    """It takes the number in datetime(1600000000000) for a year, so axes would be empty."""
    label = "datetime(5)"
    spec = {
        "data": {"values": [{"x": 1_600_000_000_000, "s": label}]},
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "x",
                "type": "temporal",
                "axis": {"values": [1_600_000_000_000]},
                "scale": {"type": "utc", "domain": [1_599_999_000_000, 1_600_001_000_000]},
            },
            "color": {"field": "s", "type": "nominal"},
        },
    }
    definition = definition_of(spec)
    drawn = json.dumps([definition["light"], definition["dark"]])
    assert "1600000000000" in drawn
    assert "datetime(" not in drawn
    assert label in json.dumps(definition["data"])
    assert definition["light"]["background"] != definition["dark"]["background"]
