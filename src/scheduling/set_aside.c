#include "scheduling/set_aside.h"

#include "core/file.h"
#include "format/hdf5.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sp_status check(const char *path) {
    sp_h5 *f;
    sp_status st = sp_h5_open(path, &f);
    if (st) return st;
    st = sp_h5_check(f);
    sp_h5_close(f);
    return st;
}

sp_status sp_set_damaged_aside(const sp_run_spec *run, const char *folder, char **message) {
    char *path = sp_run_checkpoint_path(run, folder);
    char *aside = sp_format("%s.damaged", path);
    sp_status st = sp_file_exists(path) ? check(path) : SP_OK;
    *message = NULL;
    if (st == SP_ERR_FORMAT) {
        st = SP_OK;
        if (rename(path, aside))
            st = sp_fail(SP_ERR_IO, "%s: is damaged, and cannot be renamed: %s; delete it", path,
                         strerror(errno));
        else
            *message = sp_format("the checkpoint %s is damaged; it is now %s.damaged, and the run "
                                 "begins anew",
                                 path, strrchr(path, '/') + 1);
    } else if (st == SP_ERR_MISSING) {
        st = SP_OK; /* gone in this moment */
    }
    free(path), free(aside);
    return st;
}
