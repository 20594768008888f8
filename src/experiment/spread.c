#include "experiment/spread.h"

#include <stdlib.h>
#include <string.h>

typedef struct spread {
    const sp_evaluation *all;
    sp_ranks *ranks;
    bool whole; /* rank 0 does all */
} spread;

static int owner_of(const spread *s, size_t example) {
    return s->whole ? 0 : (int)(example % (size_t)s->ranks->size);
}

/* The records of this rank, borrowed; the array is the caller's. */
static sp_encoded_record *pick_records(const spread *s, size_t *count) {
    sp_encoded_record *records = sp_alloc(s->all->count, sizeof *records);
    *count = 0;
    for (size_t i = 0; i < s->all->count; i++)
        if (owner_of(s, i) == s->ranks->rank)
            records[(*count)++] = s->all->part->examples.records[i];
    return records;
}

/* The others are about as far. */
static void report_done(void *user, size_t done) {
    const spread *s = user;
    size_t sum = s->whole ? done : done * (size_t)s->ranks->size;
    s->all->on_done(s->all->user, sum < s->all->count ? sum : s->all->count);
}

static sp_status evaluate_own(spread *s, sp_strings *own) {
    sp_part part = *s->all->part;
    sp_evaluation mine = *s->all;
    part.examples.records = pick_records(s, &mine.count);
    part.examples.count = mine.count;
    mine.part = &part;
    mine.user = s;
    if (mine.on_done) mine.on_done = report_done;
    sp_status st = mine.count ? sp_evaluate(&mine, own) : SP_OK;
    free(part.examples.records);
    return st;
}

/* Puts the hypotheses of all ranks, each rank's in the order of its examples, in that of all. */
static void collect(const spread *s, const sp_strings *own, sp_strings *out) {
    sp_buf mine = {0}, all = {0};
    size_t size = (size_t)s->ranks->size;
    size_t *lengths = sp_alloc(size, sizeof *lengths);
    const char **next = sp_alloc(size, sizeof *next);
    for (size_t i = 0; i < own->len; i++)
        sp_buf_append(&mine, own->data[i], strlen(own->data[i]) + 1);
    sp_ranks_gather(s->ranks, &mine, &all, lengths);
    const char *at = all.data;
    for (size_t r = 0; r < size; at += lengths[r++]) next[r] = at;
    for (size_t i = 0; i < s->all->count; i++) {
        const char **text = &next[owner_of(s, i)];
        sp_strings_push(out, *text);
        *text += strlen(*text) + 1;
    }
    sp_buf_free(&mine), sp_buf_free(&all);
    free(lengths), free(next);
}

sp_status sp_evaluate_spread(const sp_evaluation *e, sp_ranks *ranks, sp_strings *hypotheses) {
    if (!ranks) return sp_evaluate(e, hypotheses);
    bool sampled = e->setup->output == SP_OUTPUT_TEXT && e->decode->temperature > 0;
    spread s = {e, ranks, sampled};
    sp_strings own = {0};
    sp_status st = sp_ranks_settle(ranks, evaluate_own(&s, &own));
    if (!st) collect(&s, &own, hypotheses);
    sp_strings_free(&own);
    return st;
}
