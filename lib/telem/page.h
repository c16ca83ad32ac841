/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plx_telem_table.h"

#define TELEM_PREFIX "/plx/"

/*
 * rte_telemetry's limits: 16,384 bytes a reply, less the command's name, "next" and brackets; 256
 * entries a dictionary, 512 an array; texts of 127 bytes.
 */
#define TELEM_JSON_BYTES 16000
#define TELEM_FIELDS	 2048 /* as many as fit in that: "a":1, */
#define TELEM_ROW_FIELDS 250
#define TELEM_STR_BYTES	 128
#define TELEM_ARRAY	 512
#define TELEM_NUMBERS	 (TELEM_JSON_BYTES / 21) /* as counted by field_new()'s caller */

enum telem_type { TELEM_STR, TELEM_U64, TELEM_I64, TELEM_U64S, TELEM_STRS };

struct telem_field {
	const char *name;
	enum telem_type type;
	uint32_t n; /* of an array: how many */
	union {
		uint64_t u;
		int64_t i;
		uint32_t at; /* index into text or number */
	};
};

/**
 * A page: plain memory, filled by the table's owner and rendered by its reader. While row() runs
 * it is the struct plx_telem_row.
 */
struct plx_telem_row {
	uint32_t rows, fields, text_len, numbers;
	uint32_t json_bytes;		    /* at most, of what is here */
	bool full;			    /* the row being made does not fit */
	uint64_t next;			    /* cursor of the next page; 0 = the table ends */
	uint32_t first[PLX_TELEM_ROWS + 1]; /* first field of each row */
	struct telem_field field[TELEM_FIELDS];
	uint64_t number[TELEM_NUMBERS];
	char text[TELEM_JSON_BYTES];
};

/** Fill a page from the cursor on. On the owner's thread. */
void telem__page_fill(struct plx_telem_row *page, const struct plx_telem_table *t, uint64_t cursor);

/** Read a page of a table by its name, on whichever thread may. @return 0 or -errno. */
int telem__page_read(const char *name, uint64_t cursor, struct plx_telem_row *page);
