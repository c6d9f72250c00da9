# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show lines on the screen of ansible-playbook beside the results."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from ansible import constants as C  # noqa: N812 (as Ansible calls it everywhere)
from ansible.utils.color import stringc
from ansible.utils.display import Display
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.text_table import (
    plain,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._status.text import (
    NARROWEST,
    WIDTH,
)

#: The width of the terminal; 0 without one. It is read here because Ansible loads actions before it
#: starts the processes for tasks, which have no terminal.
_COLUMNS = shutil.get_terminal_size((0, 0)).columns
#: The colours of Ansible for the first word of a verdict or a problem.
_COLOURS = {
    "OK": C.COLOR_OK,
    "UNKNOWN": C.COLOR_WARN,
    "WARNING": C.COLOR_WARN,
    "CRITICAL": C.COLOR_ERROR,
}
_SEVERITY = re.compile(rf"^({'|'.join(_COLOURS)})\b")


def columns() -> int:
    """Return the width for the lines of a table."""
    return max(NARROWEST, _COLUMNS or WIDTH)


def fitted(line: str) -> str:
    """Return a line that is cut to the width of the terminal."""
    return f"{line[: _COLUMNS - 1]}…" if 0 < _COLUMNS < len(line) else line


def headings_come_late() -> bool:
    """Return whether Ansible shows the heading of a task only with its result.

    It does so if skipped tasks are hidden, because it must wait for the result.
    """
    callback = str(C.DEFAULT_STDOUT_CALLBACK).removeprefix("ansible.builtin.")
    try:
        return not all(
            C.config.get_config_value(option, plugin_type="callback", plugin_name=callback)
            for option in ("display_skipped_hosts", "display_ok_hosts")
        )
    except Exception:  # another callback has other options
        return False


def is_for_people() -> bool:
    """Return whether results are shown to people, and not written for a program."""
    return "json" not in str(C.DEFAULT_STDOUT_CALLBACK)


def show_status(lines: Sequence[str]) -> None:
    """Show the lines of a status on the screen, and write them without colours to Ansible's log."""
    # the lines come from another machine and may contain control characters
    safe = [plain(str(line)) for line in lines]
    if headings_come_late():
        safe.insert(0, "")
    display = Display()
    # all at once, because the lines of other hosts may come at the same time
    display.display("\n".join(map(_coloured, safe)), screen_only=True)
    display.display("\n".join(safe), log_only=True)


def _coloured(line: str) -> str:
    return _SEVERITY.sub(lambda found: str(stringc(found[1], _COLOURS[found[1]])), line)
