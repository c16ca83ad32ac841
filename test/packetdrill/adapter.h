/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of the adapter share.
 *
 * The stack runs on one lcore that nobody runs: it is stepped, by a virtual clock, by whichever of
 * packetdrill's threads has called. So a script of minutes takes no time, and is the same each
 * time.
 *
 * packetdrill has two threads: the one that goes through the script, which moves the clock, and
 * one for calls that block. The clock stands still while the latter runs: it moves on when that
 * thread sleeps in the kernel, or has come back and looked at the clock.
 */
#include <stdio.h>
#include <unistd.h>

#include <plx_net.h>
#include <plx_sock.h>

/** Nothing can go on: says why on stderr, and ends the process. */
#define pd_die(...)                                                                                \
	do {                                                                                       \
		fprintf(stderr, "libplx_packetdrill: " __VA_ARGS__);                               \
		fputc('\n', stderr);                                                               \
		_exit(1);                                                                          \
	} while (0)

/* flags.c */

struct pd_flags {
	struct plx_prefix ip4, ip6; /**< our addresses; len 0 = none */
	uint16_t mtu;		    /**< of both families */
	bool verbose;		    /**< tell what the stack did that the script cannot see */
};
/** "ip4=192.0.2.1/24,ip6=2001:db8::1/64,mtu=1500". @return NULL, or what is wrong. */
const char *pd_flags_parse(struct pd_flags *f, const char *text);

/* wire.c: a port that carries bare IP packets, whose other end is packetdrill */

struct pd_packet {
	plx_ns when_ns; /**< it left the stack */
	uint32_t bytes;
	struct pd_packet *next;
	uint8_t data[];
};
/** Register the port. @return false: there is no memory. */
bool pd_wire_add(uint16_t mtu);
/** Bring a packet to the stack, which takes it when it is stepped. */
void pd_wire_put(const void *packet, size_t bytes);
/** What the stack sent next, the caller's to free(). @return NULL: nothing. */
struct pd_packet *pd_wire_get(void);
/** Why nobody may see the packet: its checksums are wrong, say. @return NULL: it is fine. */
const char *pd_wire_fault(const void *packet, uint32_t bytes);

/* stack.c: EAL, the engine, the clock */

extern struct plx_tunables pd_tunables;
struct plx_sock *pd_stack_start(const struct pd_flags *f);
/** Ends the process when an mbuf is missing, or the account does not close. */
void pd_stack_stop(void);
/** The virtual time. Any thread. */
plx_ns pd_now(void);
/** The same, and it goes on a little, as it does for whoever looks at a clock. */
plx_ns pd_now_tick(void);
/** All that is to be done at this moment. */
void pd_stack_run(void);
/** The wire brings a packet, and all that follows from it at once happens. */
void pd_stack_input(const void *packet, size_t bytes);
/**
 * Go on to a time, doing on the way what is due, or until stop() is true. For the main thread.
 * @return whether stop() was; when it is not and nothing is due any more, there is no waiting for
 * PLX_NEVER.
 */
bool pd_stack_until(plx_ns when, bool (*stop)(void *arg), void *arg);

/* thread.c: packetdrill's threads */

/** The calling thread is the one that moves the clock. */
void pd_thread_main(void);
bool pd_thread_is_main(void);
/** Around a call of the interface: the thread runs. */
void pd_thread_enter(struct plx_sock *s);
/** It has looked at the clock: it may be left behind. */
void pd_thread_saw_clock(void);
/** To be taken before one looks whether there is need to sleep. */
uint32_t pd_thread_ticket(void);
/** Sleep until something has happened since, at the latest until when. For other threads. */
void pd_thread_sleep(uint32_t ticket, plx_ns when);
/** Wait until all other threads sleep. @return whether one did not. */
bool pd_thread_settle(void);
/** When one of those asleep wants to be woken; PLX_NEVER. */
plx_ns pd_thread_deadline(void);
/** Something has happened: wake those that sleep. */
void pd_thread_wake(void);

/* sysctl.c: a datagram socket by which scripts set tunables */

void pd_sysctl_start(void);
/** Carry out "name=value". @return "ok", or "unknown" or what is wrong. */
const char *pd_sysctl_set(const char *text);

/* fd.c is a library of its own, to be preloaded: calls on descriptors that are not the kernel's. */
struct pd_fd_calls {
	bool (*is_ours)(int fd);
	int (*close)(int fd);
	int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
};
#define PD_FD_SYMBOL "plx_packetdrill_fd_calls"
