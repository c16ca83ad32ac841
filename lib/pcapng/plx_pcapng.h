/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Layer 1: capture files, pcapng and classic pcap, to and from small structs.
 *
 * Pure: no file, no clock, no allocation. A writer encodes one block into room that its caller has;
 * a reader is shown bytes and says what they are or how many more it wants. What becomes of the
 * bytes, and where they come from, is the caller's. Nothing here is shared: any thread.
 *
 * Source: draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap; doc/design/capture.md says which of
 * their options we write, and how ours is laid out.
 *
 * This header gathers the library's parts; each can be included alone.
 */
#include "plx_pcapng_block.h"
#include "plx_pcapng_read.h"
#include "plx_pcapng_rotate.h"
#include "plx_pcapng_write.h"
