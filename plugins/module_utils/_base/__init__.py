# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concepts that all packages share: errors, days and weeks, records of inputs, stages.

It takes and returns plain values. It reads the size and time of files but never their content, and
imports no other package.
"""
