# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawings of the status page, as SVG elements that stand in it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from .._watch.history import Step
from .elements import element
from .runs import StepTimes
from .text import spell_seconds, spell_time
from .trees import Tree

_BAR, _GAP, _HEIGHT = 6, 2, 36
_LEAST_RUNS = 14
_ROOM = 120


def run_bars(times: StepTimes) -> Element:
    """How long the last runs of a step took, a bar each; the newest at the right."""
    seconds = [run.seconds or 0.0 for run in times.runs]
    most = max([*seconds, times.usual_seconds or 0.0]) or 1.0
    shift = max(_LEAST_RUNS - len(times.runs), 0)
    width = max(len(times.runs), _LEAST_RUNS) * (_BAR + _GAP)
    bars = [
        _bar(run, (shift + number) * (_BAR + _GAP), max(_HEIGHT * taken / most, 1.5))
        for number, (run, taken) in enumerate(zip(times.runs, seconds, strict=True))
    ]
    if times.usual_seconds is not None:
        y = f"{_HEIGHT - _HEIGHT * times.usual_seconds / most + 0.5:.1f}"
        bars.append(element("line", x1="0", x2=str(width), y1=y, y2=y, class_="median"))
    told = f"{times.title}: last {len(times.runs)} runs, {spell_seconds(min(seconds))} to "
    return _drawing(width, _HEIGHT + 1, told + spell_seconds(max(seconds)), bars)


def _bar(run: Step, x: int, height: float) -> Element:
    took = f", {spell_seconds(run.seconds)}" if run.seconds is not None else ""
    title = element("title", f"{spell_time(run.started)}: {run.result}{took}")
    return element(
        "rect", title, x=str(x), y=f"{_HEIGHT - height:.1f}", width=str(_BAR),
        height=f"{height:.1f}", class_=f"bar {run.result.replace(' ', '_')}",
    )  # fmt: skip


def room_bar(tree: Tree) -> Element:
    """How much of a file system is taken."""
    if tree.free_percent is None:
        return element("span")
    taken = round(_ROOM * (100 - tree.free_percent) / 100, 1)
    parts = [
        element("rect", width=str(_ROOM), height="10", rx="3", class_="free"),
        element("rect", width=str(taken), height="10", rx="3", class_="taken"),
    ]
    return _drawing(_ROOM, 10, f"{tree.free_percent} % free", parts)


def _drawing(width: int, height: int, told: str, parts: list[Element]) -> Element:
    return element(
        "svg", *parts, width=str(width), height=str(height), viewBox=f"0 0 {width} {height}",
        role="img", **{"aria-label": told},
    )  # fmt: skip
