# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages ``totals`` and ``trim``: count the weeks that are due, and remove old raw days.

The package reads raw days. It writes ``totals.db`` and ``totals.csv`` with the quality of each
week.

It may import ``_base``, ``_storage``, ``_logs`` and ``_hits``.
"""
