#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# All combinations of offloads of a virtio device: see vhost_offload_test.sh.
exec bash "$(dirname "$0")/vhost_offload_test.sh" --all
