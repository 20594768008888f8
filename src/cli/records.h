/* What commands read from standard input: lines, and records of which there is one a line. */
#ifndef SP_CLI_RECORDS_H
#define SP_CLI_RECORDS_H

#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>

/* The next line of standard input without its end, and its number, counted up from 0; false at the
 * end of the input. */
bool sp_read_line(sp_buf *line, long *number);
/* SP_ERR_DATA if the line of this number is empty or has a NUL byte. */
sp_status sp_check_line(const sp_buf *line, long number);

/* Appends up to `most` inputs, the last of which is in line *number: lines, or, if `records`, the
 * "input", "text" or "tokens" of JSON objects. SP_ERR_DATA, SP_ERR_FORMAT with the line's number.
 */
sp_status sp_read_records(bool records, size_t most, long *number, sp_strings *inputs);

#endif
