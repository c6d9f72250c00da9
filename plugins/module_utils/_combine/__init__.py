# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``combine``: merge the same log of all hosts by time.

It takes the hosts' tree, and writes the combined logs ``YYYY/MM/DD/NAME`` with a record for each
day, and the links in ``latest``. Memory does not grow with the size of a log.

It may import ``_base``, ``_storage`` and ``_logs``.
"""
