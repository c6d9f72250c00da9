# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classes of coverage: the share of the expected host-days that was received."""

from __future__ import annotations

from .._totals.host_days import HostDays

ALL = "all"
NEARLY_ALL = "95 % or more"
MOST = "50 % to 95 %"
FEW = "less than 50 %"
NONE = "nothing"
NOT_RECORDED = "not recorded"
#: Classes of coverage, the best first.
CLASSES = (ALL, NEARLY_ALL, MOST, FEW, NONE, NOT_RECORDED)


def coverage_of(one: HostDays) -> str:
    """Return the class of a day or week, one of CLASSES."""
    if one.expected is None or one.received is None:
        return NOT_RECORDED
    if one.expected == 0 or one.received >= one.expected:
        return ALL
    share = one.received / one.expected
    bounds = ((0.95, NEARLY_ALL), (0.5, MOST))
    found = next((name for least, name in bounds if share >= least), FEW)
    return found if one.received else NONE
