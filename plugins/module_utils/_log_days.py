# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs that are made of one combined log, one a rotation day: which are due, and making them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from ._errors import CountingError
from ._files import read_error
from ._log_paths import day_folder, forms_of_log
from ._observer import Observer
from ._records import InputFile, Unit


@dataclass(frozen=True)
class LogPlan:
    """What is to be done about the output of one day."""

    unit: Unit
    day: date
    forms: tuple[Path, ...] = ()
    """The log, plain or compressed; more than one where it lies there in several forms."""


class LogSettings(Protocol):
    """Which log it is."""

    @property
    def src(self) -> Path:
        """The combined tree."""

    @property
    def log_name(self) -> str:
        """Its name there, without the ending of a compression."""


class LogRecord(Protocol):
    """What an output records of its log."""

    @property
    def source(self) -> InputFile:
        """The form that was read."""

    @property
    def other_forms(self) -> tuple[InputFile, ...]:
        """Forms with the same content that lay beside it."""


#: Why an output that is there is out of date, given its day, path and the forms of its log.
Reasons = Callable[[date, Path, Sequence[Path]], list[str]]


def plan_log_days(
    settings: LogSettings,
    days: Sequence[date],
    *,
    output: Callable[[date], Path],
    reasons: Reasons,
    new: str,
) -> list[LogPlan]:
    """Compare the logs of the days with their outputs; a day that can't be looked at has failed.

    ``new`` is the reason why an output that is not there is due.
    """
    plans = []
    for day in days:
        try:
            plans.append(_plan_day(settings, day, output(day), reasons, new))
        except OSError as error:
            explained = read_error(
                error.filename,
                error,
                expected="to look at it",
                advice="Let the counting user read it; the next run goes on from here.",
            )
            plans.append(LogPlan(Unit(str(day), "failed", (str(explained),)), day))
        except CountingError as error:
            plans.append(LogPlan(Unit(str(day), "failed", (str(error),)), day))
    return plans


def _plan_day(
    settings: LogSettings, day: date, output: Path, reasons: Reasons, new: str
) -> LogPlan:
    folder = day_folder(settings.src, day)
    forms = tuple(forms_of_log(folder, settings.log_name))
    if not forms:
        reason = f"no {settings.log_name} in {folder}, plain or compressed"
        return LogPlan(Unit(str(day), "missing", (reason,)), day)
    found = tuple(reasons(day, output, forms)) if output.exists() else (new,)
    return LogPlan(Unit(str(day), "due" if found else "unchanged", found), day, forms)


def changed_inputs(src: Path, forms: Sequence[Path], record: LogRecord) -> list[str]:
    """Forms of a log that an output was not made from, as reasons.

    One that was compressed since is no change: that keeps the time of modification, and changes
    the size.
    """
    recorded = (record.source, *record.other_forms)
    seen = (InputFile.seen(path, src) for path in forms)
    return [f"changed input {one.path}" for one in seen if not _is_known(one, recorded)]


def _is_known(seen: InputFile, recorded: Iterable[InputFile]) -> bool:
    return any(
        seen == one or (seen.path != one.path and seen.mtime_ns == one.mtime_ns) for one in recorded
    )


def make_log_days(
    plans: Sequence[LogPlan],
    make: Callable[[LogPlan], Unit],
    observer: Observer,
    *,
    over: Callable[[Callable[[LogPlan], Unit], Sequence[LogPlan]], Iterator[Unit]] = map,
) -> list[Unit]:
    """Make what is due; the units of all plans, in their order.

    ``over`` is ``map``, for one after the other, or that of an executor.
    """
    due = [plan for plan in plans if plan.unit.status == "due"]
    observer.expect("bytes", sum(_bytes_to_read(plan.forms) for plan in due))
    made = iter(over(make, due))
    units = []
    for plan in plans:
        unit = next(made) if plan.unit.status == "due" else plan.unit
        observer.ended(unit)
        units.append(unit)
    return units


def _bytes_to_read(forms: Sequence[Path]) -> int:
    """The size of a log, of whose forms the first is read; 0 where it can't be looked at."""
    try:
        return forms[0].stat(follow_symlinks=False).st_size
    except OSError:  # its unit will tell
        return 0


def without_address(line: str) -> str:
    """A line as it may be shown: not with the client's address, which stands first."""
    return "…" + line[len(line.split(maxsplit=1)[0]) :]
