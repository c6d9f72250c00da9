# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of all modules: options of days, results, diffs, and one place that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, cast

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._base.errors import CountingError, SettingsError, printable, wrong_option
from .._base.libs import not_installed
from .._base.observer import NOBODY, Observer
from .._base.records import WorkUnit
from .._base.stage import CHANGES, Outcome, P, S, Stage, StageRun, run_stage
from .._storage.files import write_error
from .._storage.shares import check_answers
from .watching import WATCH_OPTIONS, watch_step

DAY_OPTIONS: dict[str, dict[str, Any]] = {
    "dates": {"type": "list", "elements": "str"},
    "since": {"type": "str"},
    "until": {"type": "str"},
    "days": {"type": "int", "bounds": (1, 10_000)},
    "run_id": {"type": "str", "default": ""},
}

#: The options of a module: the argument spec of Ansible, in which a number may have ``bounds``, its
#: least and its greatest value; None for no greatest value.
Options: TypeAlias = "Mapping[str, Mapping[str, Any]]"


def counting_module(
    options: Options,
    *,
    with_days: bool = True,
    watched: bool = False,
    **constraints: Any,
) -> AnsibleModule:
    """Return an AnsibleModule with the shared options.

    It fails if a number is out of its bounds. With ``watched`` it also has the options for the
    sinks of a stage.
    """
    shared = DAY_OPTIONS if with_days else {"run_id": DAY_OPTIONS["run_id"]}
    options = {**options, **shared, **(WATCH_OPTIONS if watched else {})}
    if watched:
        spool_too = {"messaging_config": ("messaging_spool",)}
        constraints["required_by"] = {**constraints.get("required_by", {}), **spool_too}
    if with_days:
        pairs = [("dates", "since"), ("dates", "until"), ("dates", "days"), ("since", "days")]
        constraints["mutually_exclusive"] = [*constraints.get("mutually_exclusive", []), *pairs]
    module = AnsibleModule(
        argument_spec=argument_spec(options), supports_check_mode=True, **constraints
    )
    try:
        check_bounds(module.params, options)
    except SettingsError as error:
        module.fail_json(msg=str(error))
    return module


def argument_spec(options: Options) -> dict[str, dict[str, Any]]:
    """Return the options as Ansible takes them, without ``bounds``, at any depth."""
    spec = {}
    for name, option in options.items():
        spec[name] = {key: value for key, value in option.items() if key != "bounds"}
        if "options" in option:
            spec[name]["options"] = argument_spec(option["options"])
    return spec


def require(module: AnsibleModule, libraries: Sequence[str]) -> None:
    """Fail if one of the libraries is not installed."""
    for library in not_installed(libraries):
        module.fail_json(msg=missing_required_lib(library))


def run_module(module: AnsibleModule, stage: Stage[S, P]) -> None:
    """Run a stage with the options of the module, and end the module with the outcome."""

    require(module, stage.libraries)

    def work() -> None:
        now = datetime.now(UTC)
        observer = _observer(module, stage)
        check_answers(_places(module.argument_spec, module.params))
        settings = stage.settings_from(module.params, now)
        run_id = module.params["run_id"]
        run = StageRun(now, run_id=run_id, check_mode=module.check_mode, observer=observer)
        finish(module, run_stage(stage, settings, run))

    run(module, work)


def _observer(module: AnsibleModule, stage: Stage[Any, Any]) -> Observer:
    """Begin the step of the module. Without the options, and in check mode, it has no sinks."""
    if module.check_mode or not WATCH_OPTIONS.keys() <= module.params.keys():
        return NOBODY
    module.watch = watch_step(module, stage)
    return cast(Observer, module.watch)


def _places(spec: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Path]:
    """Yield all paths in the options, at any depth."""
    for name, option in spec.items():
        value = given.get(name)
        values = value if isinstance(value, list) else [value]
        if "path" in (option.get("type"), option.get("elements")):
            yield from (Path(one) for one in values if one)
        elif "options" in option:
            for one in values:
                yield from _places(option["options"], one or {})


def _end_step(module: AnsibleModule, units: Sequence[WorkUnit] = (), *, failure: str = "") -> None:
    """Report the end of the step to its sinks."""
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


def check_bounds(given: Mapping[str, Any], options: Options) -> None:
    """Raise SettingsError for an option, at any depth, that is given and out of its bounds."""
    for name, option in options.items():
        least, most = option.get("bounds", (None, None))
        value = given[name]
        if "options" in option:
            for one in filter(None, value if isinstance(value, list) else [value]):
                check_bounds(one, option["options"])
            continue
        if value is None or least is None or (value >= least and (most is None or value <= most)):
            continue
        raise wrong_option(
            name,
            expected=f"at least {least}" if most is None else f"{least} to {most}",
            found=str(value),
        )


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


def finish(module: AnsibleModule, outcome: Outcome) -> None:
    """End the module with an outcome: warnings, result, diff, and the failure if there is one."""
    by_status: dict[str, list[str]] = {}
    for unit in outcome.units:
        by_status.setdefault(unit.status, []).append(unit.name)
    result: dict[str, Any] = {
        "changed": outcome.changed,
        "units": [unit.to_json() for unit in outcome.units],
        "summary": {status: len(names) for status, names in sorted(by_status.items())},
        **outcome.facts,
    }
    if module._diff:
        result["diff"] = _diff(outcome.units)
    for warning in outcome.warnings:
        module.warn(warning)
    for unit in outcome.units:
        if unit.status == "failed":
            module.warn(f"{unit.name}: {'; '.join(unit.reasons)}")
    _end_step(module, outcome.units, failure=outcome.failure)
    if outcome.failure:
        module.fail_json(msg=outcome.failure, **result)
    module.exit_json(**result)


def _diff(units: Sequence[WorkUnit]) -> dict[str, str]:
    touched = [unit for unit in units if unit.status in CHANGES | {"failed"}]
    return {
        "before_header": "recorded",
        "after_header": "with the inputs that are there now",
        "before": "",
        "after": "".join(f"{u.name}: {'; '.join(u.reasons) or u.status}\n" for u in touched),
    }
