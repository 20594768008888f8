/* What a run keeps for inference, by its shapes: how much work it adds to the model's. */
#ifndef SP_REPORT_KEPT_H
#define SP_REPORT_KEPT_H

#include "format/hdf5.h"
#include "model/model.h"

/* Start from {0}; release with sp_kept_free. */
typedef struct sp_kept {
    double virtual_rows; /* of the template, in the sequence */
    double prefix, prefix_layers;
    bool infix;
    double answers; /* labels of a class head, or their words; 0: it has none */
    /* [projection_count] weights beside each linear map: low_rank those of updates, which may be
     * merged instead, bottleneck those of adapters */
    double *low_rank, *bottleneck;
} sp_kept;

/* From /prompt of a run file; `model` may be without memory. SP_ERR_MISSING, SP_ERR_FORMAT. */
sp_status sp_kept_read(const char *path, const sp_model *model, sp_kept *out);
void sp_kept_free(sp_kept *kept);

#endif
