# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules share and only Ansible needs: day options, results, diffs, failing once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._base.days_and_weeks import days_in_window, utc_today
from .._base.errors import CountingError, SettingsError, printable, wrong_option
from .._base.libs import missing
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._storage.files import write_error
from .._storage.shares import check_answers
from .watching import WATCH_BOUNDS, WATCH_OPTIONS, watch_step

#: Statuses of units that make a module's result "changed".
CHANGES = {"due", "made", "trimmed"}

DAY_OPTIONS: dict[str, dict[str, Any]] = {
    "dates": {"type": "list", "elements": "str"},
    "since": {"type": "str"},
    "until": {"type": "str"},
    "days": {"type": "int"},
    "run_id": {"type": "str", "default": ""},
}

#: The least and the most a number may be; None where there is no most.
Bounds: TypeAlias = "Mapping[str, tuple[float, float | None]]"

_DAY_BOUNDS: Bounds = {"days": (1, 10_000)}


def counting_module(
    options: Mapping[str, Mapping[str, Any]],
    *,
    libraries: Sequence[str] = (),
    with_days: bool = True,
    watched: bool = False,
    bounds: Bounds = MappingProxyType({}),
    **constraints: Any,
) -> AnsibleModule:
    """An AnsibleModule with the shared options; fails where one of ``libraries`` is missing.

    It fails, too, where an option is out of its ``bounds``; those of shared options are known.
    With ``watched`` it has the options that :func:`observed` goes by.
    """
    spec = {**options, **(DAY_OPTIONS if with_days else {"run_id": DAY_OPTIONS["run_id"]})}
    if watched:
        spec |= WATCH_OPTIONS
        bounds = {**bounds, **WATCH_BOUNDS}
        spool_too = {"messaging_config": ("messaging_spool",)}
        constraints["required_by"] = {**constraints.get("required_by", {}), **spool_too}
    if with_days:
        pairs = [("dates", "since"), ("dates", "until"), ("dates", "days"), ("since", "days")]
        constraints["mutually_exclusive"] = [*constraints.get("mutually_exclusive", []), *pairs]
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **constraints)
    try:
        check_bounds(module.params, {**bounds, **(_DAY_BOUNDS if with_days else {})})
    except SettingsError as error:
        module.fail_json(msg=str(error))
    require(module, libraries)
    return module


def require(module: AnsibleModule, libraries: Sequence[str]) -> None:
    """Fail where one of the libraries can't be imported."""
    for library, why in missing(libraries).items():
        module.fail_json(msg=missing_required_lib(library), exception=why)


def observed(module: AnsibleModule, stage: str) -> Observer:
    """Begin the step that the module is; what to tell of its work goes to the observer.

    Its end is told by :func:`finish` or :func:`run`. In check mode nobody is told anything. Raises
    OutputError where a place that an option names does not answer: a step that waited for its
    share would hold up those that can do without.
    """
    observer = NOBODY
    if not module.check_mode:
        module.watch = watch_step(module, stage)
        observer = cast(Observer, module.watch)
    check_answers(_places(module.argument_spec, module.params))
    return observer


def _places(spec: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Path]:
    """All places that options name, also those within others."""
    for name, option in spec.items():
        value = given.get(name)
        values = value if isinstance(value, list) else [value]
        if "path" in (option.get("type"), option.get("elements")):
            yield from (Path(one) for one in values if one)
        elif "options" in option:
            for one in values:
                yield from _places(option["options"], one or {})


def _end_step(module: AnsibleModule, units: Sequence[WorkUnit] = (), *, failure: str = "") -> None:
    """Tell all who watch that the step has ended."""
    watch = getattr(module, "watch", None)
    if watch is None:
        return
    module.watch = None
    if failure and not units:
        watch.fail(failure)
    else:
        watch.finish(units, failure=failure)
    for warning in watch.warnings():
        module.warn(warning)


def check_bounds(options: Mapping[str, Any], bounds: Bounds) -> None:
    """Raise SettingsError for an option that is given and out of its bounds."""
    for name, (least, most) in bounds.items():
        value = options[name]
        if value is None or (value >= least and (most is None or value <= most)):
            continue
        raise wrong_option(
            name,
            expected=f"at least {least}" if most is None else f"{least} to {most}",
            found=str(value),
        )


def available_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def window(module: AnsibleModule, *, default_days: int, today: date | None = None) -> list[date]:
    """The days the module was asked to look at."""
    options = {name: module.params[name] for name in ("dates", "since", "until", "days")}
    return days_in_window(today=today or utc_today(), default_days=default_days, **options)


def run(module: AnsibleModule, work: Callable[[], None]) -> None:
    """Do the module's work; an error of the library becomes the module's one failure."""
    try:
        work()
    except CountingError as error:
        failure = str(error)
    except OSError as error:
        failure = str(write_error(Path(str(error.filename or "a file")), error))
    except SystemExit:
        _end_step(module, failure="the module failed")
        raise
    except BaseException as error:
        _end_step(module, failure=f"{type(error).__name__}: {printable(str(error))}")
        raise
    else:
        return
    _end_step(module, failure=failure)
    module.fail_json(msg=failure)


def warn_of(module: AnsibleModule, units: Sequence[WorkUnit]) -> None:
    """Pass on what somebody has to look at although the units have not failed."""
    for unit in units:
        for warning in unit.warnings:
            module.warn(f"{unit.name}: {warning}")


def failure_of(units: Sequence[WorkUnit], kind: str) -> str:
    """The failure of a whole that fails where one of its units does; ``kind`` names these."""
    failed = [unit.name for unit in units if unit.status == "failed"]
    return f"{len(failed)} of {len(units)} {kind} failed: {', '.join(failed)}" if failed else ""


def finish(
    module: AnsibleModule,
    units: Sequence[WorkUnit],
    *,
    failure: str = "",
    **figures: Any,
) -> None:
    """End the module with its units.

    Changed where one has a status that says so (``due`` in check mode). ``failure`` is the message
    where the module's threshold says that the whole has failed; the units are in the result too.
    """
    by_status: dict[str, list[str]] = {}
    for unit in units:
        by_status.setdefault(unit.status, []).append(unit.name)
    result: dict[str, Any] = {
        "changed": not CHANGES.isdisjoint(by_status),
        "units": [unit.to_json() for unit in units],
        "summary": {status: len(names) for status, names in sorted(by_status.items())},
        **figures,
    }
    if module._diff:
        result["diff"] = _diff(units)
    for unit in units:
        if unit.status == "failed":
            module.warn(f"{unit.name}: {'; '.join(unit.reasons)}")
    _end_step(module, units, failure=failure)
    if failure:
        module.fail_json(msg=failure, **result)
    module.exit_json(**result)


def _diff(units: Sequence[WorkUnit]) -> dict[str, str]:
    touched = [unit for unit in units if unit.status in CHANGES | {"failed"}]
    return {
        "before_header": "recorded",
        "after_header": "with the inputs that are there now",
        "before": "",
        "after": "".join(f"{u.name}: {'; '.join(u.reasons) or u.status}\n" for u in touched),
    }
