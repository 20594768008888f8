/* LoRA (Hu et al. 2021, section 4.1): a frozen linear map gets an update of low rank,
 *   y = x W + b + (alpha / rank) x A^T B^T,   A [rank, in], B [out, rank]
 * with A Kaiming-uniform and B zero, as in PEFT: training starts at the model itself. For inference
 * the update is merged into W (soft_prompt.h). */
#include "tuning/init.h"
#include "tuning/low_rank.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"
#include "tuning/part.h"

#include <math.h>

static const sp_option options[] = {
    {"rank", SP_INT, SP_METHOD_FIELD(rank), "8", 1, 65536, NULL, "rank of an update"},
    SP_OPTION_ALPHA("16", "an update is scaled by alpha / rank"),
    SP_OPTION_TARGETS,
    {0}};

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    sp_ints targets = {0};
    sp_status st = sp_low_rank_targets(tuner, &targets);
    long rank = tuner->options.rank;
    for (size_t i = 0; i < targets.len; i++) {
        const sp_projection *p = &tuner->model->projections[targets.data[i]];
        sp_var *a =
            sp_part_add(&tuner->params, p, "lora_A.weight", 2, rank, sp_linear_inputs(&p->map));
        sp_part_add(&tuner->params, p, "lora_B.weight", 2, sp_linear_outputs(&p->map), rank);
        sp_init_uniform(a, 1.0f / sqrtf((float)a->cols), rng);
    }
    sp_ints_free(&targets);
    return st;
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    const sp_model *m = tuner->model;
    sp_low_rank *updates = sp_arena_zero(&t->arena, (size_t)m->projection_count * sizeof *updates);
    for (int i = 0; i < m->projection_count; i++) {
        const sp_projection *p = &m->projections[i];
        updates[i] = (sp_low_rank){.down = sp_part_find(&tuner->params, p, "lora_A.weight"),
                                   .up = sp_part_find(&tuner->params, p, "lora_B.weight"),
                                   .scale = (float)(tuner->options.alpha / tuner->options.rank)};
    }
    out->low_rank = updates;
}

const sp_method sp_method_lora = {
    .name = "lora", .title = "LoRA", .options = options, .create = create, .inject = inject};
