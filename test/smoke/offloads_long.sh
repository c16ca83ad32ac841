#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# All combinations of offloads at both ends: see offloads_test.sh.
exec bash "$(dirname "$0")/offloads_test.sh" --all
