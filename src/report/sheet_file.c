#include "report/sheet_file.h"

#include "core/file.h"

#include <stdlib.h>
#include <unistd.h>

sp_status sp_sheets_write(const sp_sheet *sheets, size_t count, const char *folder,
                          const char *ending, sp_sheet_render *render) {
    char *path = sp_format("%s/%s.%s", folder, sheets->name, ending);
    sp_buf text = {0};
    for (size_t i = 0; i < count; i++) {
        if (i) sp_buf_putc(&text, '\n');
        render(&sheets[i], &text);
    }
    sp_status st = SP_OK;
    if (sp_sheet_rows(sheets))
        st = sp_write_file(path, text.data, text.len);
    else
        unlink(path);
    sp_buf_free(&text);
    free(path);
    return st;
}
