/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The benchmarks of layers 2 and up, which are one program: a link with optimisation compiles the
 * libraries anew, and would do so for each. Each is as main(), with its own name as argv[0]; its
 * file says what it takes. It may be called once, as the process's only one.
 */
int bench_capture(int argc, char **argv);
int bench_echo(int argc, char **argv);
int bench_steer(int argc, char **argv);
int bench_steer_lcores(int argc, char **argv);
int bench_tcp_bulk(int argc, char **argv);
