# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen of ansible-playbook, and what may be put on it beside the results."""

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

#: Of the terminal; 0 where there is none. Ansible loads actions before it makes the processes for
#: tasks, and those have no terminal.
_COLUMNS = shutil.get_terminal_size((0, 0)).columns
#: The first word of a verdict or a problem, in the colour that Ansible has for such.
_COLOURS = {
    "OK": C.COLOR_OK,
    "UNKNOWN": C.COLOR_WARN,
    "WARNING": C.COLOR_WARN,
    "CRITICAL": C.COLOR_ERROR,
}
_SEVERITY = re.compile(rf"^({'|'.join(_COLOURS)})\b")


def columns() -> int:
    """How wide the lines of a table may be."""
    return max(NARROWEST, _COLUMNS or WIDTH)


def fitted(line: str) -> str:
    """A line of its own, without its end where the terminal would break it."""
    return f"{line[: _COLUMNS - 1]}…" if 0 < _COLUMNS < len(line) else line


def headings_come_late() -> bool:
    """Whether Ansible puts a task's heading behind what is shown meanwhile, before its result.

    So it does where it is not to show skipped tasks, as it does not know before.
    """
    callback = str(C.DEFAULT_STDOUT_CALLBACK).removeprefix("ansible.builtin.")
    try:
        return not all(
            C.config.get_config_value(option, plugin_type="callback", plugin_name=callback)
            for option in ("display_skipped_hosts", "display_ok_hosts")
        )
    except Exception:  # another callback, with options of its own
        return False


def is_for_people() -> bool:
    """Whether results are shown to people, and not written for a program, which reads them all."""
    return "json" not in str(C.DEFAULT_STDOUT_CALLBACK)


def show_status(lines: Sequence[str]) -> None:
    """Put the lines of a status on the screen, and without colours into Ansible's log."""
    # they come from another machine
    shown = [plain(str(line)) for line in lines]
    if headings_come_late():
        shown.insert(0, "")
    display = Display()
    # in one piece, for other hosts' lines may come at the same time
    display.display("\n".join(map(_coloured, shown)), screen_only=True)
    display.display("\n".join(shown), log_only=True)


def _coloured(line: str) -> str:
    return _SEVERITY.sub(lambda found: str(stringc(found[1], _COLOURS[found[1]])), line)
