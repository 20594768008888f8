/* Sheets as files. */
#ifndef SP_REPORT_SHEET_FILE_H
#define SP_REPORT_SHEET_FILE_H

#include "core/status.h"
#include "report/sheet.h"

/* How a sheet is rendered: sp_sheet_markdown, sp_sheet_csv, sp_sheet_tex. */
typedef void sp_sheet_render(const sp_sheet *sheet, sp_buf *out);

/* Writes sheets [count] below each other into <folder>/<name of the first>.<ending>. If the first
 * has no rows, such a file of earlier is removed. SP_ERR_IO. */
sp_status sp_sheets_write(const sp_sheet *sheets, size_t count, const char *folder,
                          const char *ending, sp_sheet_render *render);

#endif
