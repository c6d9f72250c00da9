# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``condense``, which reduces the mirror list's log of a day to its distinct clients.

It reads combined logs. It writes condensed days (Parquet) and the CSV files of addresses per day.

It may import ``_base``, ``_storage``, ``_logs`` and ``_daily``.
"""
