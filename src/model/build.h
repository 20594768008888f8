/* How a family declares its parameters and linear maps. */
#ifndef SP_MODEL_BUILD_H
#define SP_MODEL_BUILD_H

#include "model/model.h"

/* Where in a model: the start of the names, and the layer (sp_param.layer). */
typedef struct sp_place {
    sp_model *model;
    const char *start;
    int layer;
} sp_place;

/* A parameter "<start><name>" without memory yet; rank 1: [cols]. */
sp_var *sp_build_param(sp_place at, const char *name, int rank, long rows, long cols);

/* A linear map n_embd -> n_embd "<start><name>", stored [out, in], with a bias: one that is outside
 * the blocks and no projection. */
sp_linear_map sp_build_square(sp_place at, const char *name);

/* The parameters that were declared last, from number `first` on, are of an optional part. */
void sp_build_mark(sp_model *model, size_t first, sp_model_part part);

/* "<start><name>.weight" and, if it has one, ".bias" [n_embd], with the model's epsilon. */
sp_norm sp_build_norm(sp_place at, const char *name, bool bias);

typedef struct sp_linear_shape {
    long in, out;
    bool bias, transposed; /* transposed: stored [out, in] (torch's Linear) */
    bool to_residual;      /* see sp_projection */
} sp_linear_shape;

/* Makes room for the model's projections: at most `count`. */
void sp_build_projections(sp_model *model, int count);
/* The linear map "<start><name>", appended to model->projections. */
const sp_projection *sp_build_linear(sp_place at, const char *name, sp_linear_shape shape);

#endif
