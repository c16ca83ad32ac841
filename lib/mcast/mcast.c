/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_mcast.h"
