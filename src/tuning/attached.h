/* What stays of LoRA, AdaLoRA and adapters after training: the tensors that a steering attaches to
 * the model's linear maps. */
#ifndef SP_TUNING_ATTACHED_H
#define SP_TUNING_ATTACHED_H

#include "format/hdf5.h"
#include "model/model.h"

typedef struct sp_attached {
    int count;                 /* of the model's projections */
    sp_low_rank *low_rank;     /* [count] or NULL */
    sp_bottleneck *bottleneck; /* [count] or NULL */
    sp_params tensors;         /* what they point to */
    sp_var *unmerged; /* [count] weights as before the merge (rows 0: not merged), or NULL */
} sp_attached;

/* Copies what `steering` attaches. Singular values go into `down`; those that are zero are left
 * out with their vectors. Release with sp_attached_free. */
void sp_attached_copy(const sp_model *model, const sp_steering *steering, sp_attached *out);
/* A merged model stays so. */
void sp_attached_free(sp_attached *a);

/* How many numbers it holds. */
long sp_attached_size(const sp_attached *a);

/* Adds the updates to the model's weights; the steering is then to go without them. The second
 * takes them out again, to the bit. Nothing happens if there are none. */
void sp_attached_merge(sp_attached *a, sp_model *model);
void sp_attached_unmerge(sp_attached *a, sp_model *model);

/* Groups low_rank/<projection> (A [rank, in], B [out, rank], attribute scale) and
 * bottleneck/<projection> (down.weight [size, d], down.bias, up.weight [d, size], up.bias) below
 * /prompt. Reading into {0}: SP_ERR_FORMAT if they do not fit the model. */
sp_status sp_attached_write(const sp_attached *a, const sp_model *model, sp_h5 *file);
sp_status sp_attached_read(sp_h5 *file, const sp_model *model, sp_attached *out);

#endif
