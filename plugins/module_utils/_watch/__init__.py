# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sinks for the events of a stage: messages on the bus, progress, system log, run history.

It takes the events of a stage and passes them to the sinks. A sink that fails never stops a stage.

It may import ``_base`` and ``_storage``.
"""
