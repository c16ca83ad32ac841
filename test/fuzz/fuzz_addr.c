/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of addresses, prefixes and MACs: never a crash, and what was read is written so that it
 * reads the same. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[128], again[128];
	struct plx_addr a, a2;
	struct plx_prefix p, p2;
	struct plx_mac m, m2;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';

	if (!plx_addr_parse(&a, text))
		must(!plx_addr_parse(&a2, plx_addr_format(&a, again)) && plx_addr_eq(&a, &a2));
	if (!plx_prefix_parse(&p, text))
		must(!plx_prefix_parse(&p2, plx_prefix_format(&p, again)) && p.len == p2.len);
	if (!plx_mac_parse(&m, text))
		must(!plx_mac_parse(&m2, plx_mac_format(&m, again)) && !memcmp(&m, &m2, sizeof(m)));
	return 0;
}
