#include "core/progress.h"

#include "core/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

sp_progress_state sp_progress_start(void) {
    return (sp_progress_state){.loss = NAN, .tokens_per_second = NAN, .seconds_left = -1};
}

void sp_progress_report(const sp_progress *progress, const sp_progress_state *state) {
    if (progress && progress->line) progress->line(progress->user, state);
}

char *sp_duration_text(double seconds) {
    long s = lround(seconds);
    if (s < 90) return sp_format("%ld s", s);
    long minutes = (s + 30) / 60;
    if (minutes < 90) return sp_format("%ld min", minutes);
    return sp_format("%ld h %ld min", minutes / 60, minutes % 60);
}

static void separate(sp_buf *b) {
    if (b->len) sp_buf_puts(b, " \xc2\xb7 ");
}

static void put_speed(sp_buf *b, double speed) {
    separate(b);
    if (speed >= 1000)
        sp_buf_printf(b, "%.1fk tok/s", speed / 1000);
    else
        sp_buf_printf(b, "%.0f tok/s", speed);
}

/* Short names are acronyms: "BLEU", but "accuracy". */
static void put_dev(sp_buf *b, const char *metric, double value) {
    bool acronym = strlen(metric) <= 4;
    separate(b);
    sp_buf_puts(b, "dev ");
    for (; *metric; metric++)
        sp_buf_putc(b, (char)(acronym ? toupper((unsigned char)*metric) : *metric));
    sp_buf_printf(b, " %.1f", value);
}

static void put_time_left(sp_buf *b, double seconds) {
    separate(b);
    char *text = sp_duration_text(seconds);
    sp_buf_printf(b, "%s left", text);
    free(text);
}

static void put_runs(sp_buf *b, const sp_progress_state *s) {
    separate(b);
    if (!s->running) {
        sp_buf_printf(b, "%d/%d runs", s->run, s->runs);
        return;
    }
    sp_buf_printf(b, "%d/%d runs done, %d running", s->done, s->runs, s->running);
    if (s->failed) sp_buf_printf(b, ", %d failed", s->failed);
}

char *sp_progress_text(const sp_progress_state *s) {
    sp_buf b = {0};
    if (s->experiment) sp_buf_puts(&b, s->experiment);
    if (s->runs) put_runs(&b, s);
    if (s->label) separate(&b), sp_buf_puts(&b, s->label);
    if (s->replicate) sp_buf_printf(&b, " %s", s->replicate);
    if (s->phase) separate(&b), sp_buf_puts(&b, s->phase);
    if (s->steps) separate(&b), sp_buf_printf(&b, "step %ld/%ld", s->step, s->steps);
    if (!isnan(s->loss)) separate(&b), sp_buf_printf(&b, "loss %.2f", s->loss);
    if (!isnan(s->tokens_per_second)) put_speed(&b, s->tokens_per_second);
    if (s->dev_metric) put_dev(&b, s->dev_metric, s->dev_value);
    if (s->seconds_left >= 0) put_time_left(&b, s->seconds_left);
    return sp_buf_take(&b);
}
