/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A TAP of the Linux kernel's, with its offloads: what one side would have to cut or to sum the
 * other takes as it is, by the virtio-net header in front of each frame (IFF_VNET_HDR).
 *
 *     --port NAME=vtap[,iface=IFNAME][,queues=N][,mac=MAC][,mtu=N][,netns=NAME][,persist=0|1]
 *                     [,lro=0|1][,tso=0|1][,uso=0|1][,uring=0|1]
 *
 * vtun is the same without Ethernet (IFF_TUN).
 *
 * - iface: the kernel's interface (NAME); made if it is not there, up, with our MTU, and gone when
 *   the port is closed unless persist=1. netns: in this network namespace (`ip netns`).
 * - queues: the most that there are (16); the engine opens as many as it has lcores.
 * - mac: ours (random). A new interface of the kernel's gets another one: the same with the
 *   highest bit of the second byte flipped.
 * - lro: take TCP super-segments from the kernel (RTE_MBUF_F_RX_LRO). tso: the kernel cuts ours.
 * - uso: take several UDP datagrams as one super-datagram too (0): for who forwards to a port with
 *   tx-udp-segmentation, as the stack does not take them apart. Linux 6.2 or newer.
 * - uring: the reads, and the writes, of a burst in one system call by io_uring(7) (1), where the
 *   kernel lets us and liburing was there when this was built; else, and for a packet alone, a call
 *   for each. Medians of 7 runs, one lcore, a busy VM of two CPUs, Linux 6.18: TCP from the kernel
 *   14.1 against 11.2 Gbit/s, to it (packets of 1500 bytes) 2.2 against 1.5; a ping flood, which
 *   has packets alone, is not the faster for it (0.52 against 0.43 s for 20,000). By net_tap, in
 *   other runs there: 1.4 from the kernel and 0.5 to it.
 *
 * What the kernel's own sockets send comes without a checksum: such mbufs have
 * plx_pkt_partial_flag and RTE_MBUF_F_RX_L4_CKSUM_GOOD where the packet is plain TCP or UDP, others
 * are summed here. A virtio-net header that does not fit its frame: dropped (RX_OFFLOAD).
 *
 * A queue keeps the mbufs that the next read goes to: as many as the longest frame of 64 KB takes,
 * 33 of 2 KB, and 16 times that with io_uring.
 */
#include <plx_port.h>
