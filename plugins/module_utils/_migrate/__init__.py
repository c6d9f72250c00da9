# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take over the data of mirrors-countme 0.1.5. No other package depends on this one.

It takes its databases and CSV files, and returns raw days, totals and a comparison.

It may import ``_base``, ``_storage``, ``_logs``, ``_hits``, ``_totals`` and ``_publish``.
"""
