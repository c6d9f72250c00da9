# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the pipeline: the present and missing outputs, and the problems.

It takes the trees and records of all stages, and returns a status as JSON, text, page and metrics.
It writes no other files.

It may import ``_base``, ``_storage``, ``_logs``, ``_watch``, ``_sync``, ``_combine``, ``_totals``,
``_html`` and ``_pipeline``.
"""
