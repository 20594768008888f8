/* Frequencies of the rotary positions and how they are scaled for longer contexts. */
#include "model/rotations.h"

#include <math.h>

/* Positions in the table. Rows of later ones are computed when they are needed: a table of the
 * 131,072 positions of Llama 3 would take 64 MB and most of a second. */
enum { TABLED_POSITIONS = 4096 };

static const double TURN = 6.28318530717958647692;

/* Llama 3.1 (Grattafiori et al. 2024; transformers' "llama3"): pairs that turn often within the
 * original context stay, those that turn seldom get slower by `factor`, between the two it is
 * interpolated. */
static double scale_llama3(const sp_rope_scaling *s, double period) {
    double turns = s->original_max_position_embeddings / (TURN * period);
    if (turns > s->high_freq_factor) return period;
    if (turns < s->low_freq_factor) return period * s->factor;
    double kept = (turns - s->low_freq_factor) / (s->high_freq_factor - s->low_freq_factor);
    return period / ((1 - kept) / s->factor + kept);
}

/* YaRN (Peng et al. 2023, section 3.2): the pair that turns `turns` times in the original context.
 */
static double pair_of_turns(const sp_config *c, double turns) {
    double positions = c->rope_scaling.original_max_position_embeddings;
    return c->head_size * log(positions / (turns * TURN)) / (2 * log(c->rope_theta));
}

/* YaRN: pairs below that of beta_fast stay, those above that of beta_slow get slower by `factor`,
 * with a ramp between the two. */
static double scale_yarn(const sp_config *c, long pair, double period) {
    const sp_rope_scaling *s = &c->rope_scaling;
    double low = pair_of_turns(c, s->beta_fast), high = pair_of_turns(c, s->beta_slow);
    if (s->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, c->head_size - 1);
    if (low == high) high += 0.001;
    double slowed = fmin(fmax(((double)pair - low) / (high - low), 0), 1);
    return period / (slowed / s->factor + 1 - slowed);
}

/* theta^(2i / head_size) (Su et al. 2021, section 3.2.2), scaled. "dynamic" departs from the
 * default only beyond n_positions, where no token gets. */
static double period_of(const sp_config *c, long pair) {
    double period = pow(c->rope_theta, 2.0 * (double)pair / c->head_size);
    switch (c->rope_scaling.type) {
    case SP_ROPE_LINEAR:
        return period * c->rope_scaling.factor;
    case SP_ROPE_LLAMA3:
        return scale_llama3(&c->rope_scaling, period);
    case SP_ROPE_YARN:
        return scale_yarn(c, pair, period);
    default:
        return period;
    }
}

/* YaRN, section 3.4: the temperature of attention, as a factor of queries and of keys. */
static double scale_of(const sp_rope_scaling *s) {
    if (s->type != SP_ROPE_YARN) return 1;
    if (s->attention_factor > 0) return s->attention_factor;
    return s->factor > 1 ? 0.1 * log(s->factor) + 1 : 1;
}

void sp_rotations_make(const sp_config *c, sp_arena *memory, sp_rotations *out) {
    long tabled = c->n_positions < TABLED_POSITIONS ? c->n_positions : TABLED_POSITIONS;
    size_t width = (size_t)c->head_size;
    double *periods = sp_arena_alloc(memory, width / 2 * sizeof *periods);
    float *table = sp_arena_alloc(memory, (size_t)tabled * width * sizeof *table);
    for (long i = 0; i < c->head_size / 2; i++) periods[i] = period_of(c, i);
    *out = (sp_rotations){c->head_size, periods, scale_of(&c->rope_scaling), table, tabled};
    for (long p = 0; p < tabled; p++) sp_rotations_row(out, p, table + p * c->head_size);
}
