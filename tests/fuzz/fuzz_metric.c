/* Any bytes, cut at newlines into a hypothesis and its references, or into pairs, score within the
 * range of each metric. */
#include "core/memory.h"
#include "core/status.h"
#include "metrics/metric.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXTS = 64, MOST_REFERENCES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const sp_metric *metric, const sp_scored_text *texts, size_t count) {
    double score = metric->score(texts, count);
    bool unbounded = metric == &sp_metric_ter || metric == &sp_metric_nist;
    double least = metric == &sp_metric_mcc ? -100 : 0;
    double most = unbounded ? HUGE_VAL : metric == &sp_metric_cider ? 10 : 100;
    if (!(score >= least - 1e-9 && score <= most + 1e-9) || isinf(score))
        sp_panic("%s scores %g", metric->name, score);
}

/* lines[0] with all others as references, then each line with the next as a pair. */
static void check_all(char *lines[], size_t count) {
    const char *const *references = (const char *const *)lines + 1;
    size_t reference_count = count - 1 < MOST_REFERENCES ? count - 1 : MOST_REFERENCES;
    sp_scored_text one = {lines[0], references, reference_count}, pairs[MOST_TEXTS];
    for (size_t i = 0; i + 1 < count; i++)
        pairs[i] = (sp_scored_text){lines[i], (const char *const *)lines + i + 1, i % 3};
    /* The last pairs have no line behind them to be a second reference. */
    if (count > 1) pairs[count - 2].reference_count = 1;
    for (int m = 0; m < SP_METRIC_COUNT; m++) {
        check(sp_metrics[m], &one, 1);
        check(sp_metrics[m], pairs, count - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (sp_metrics_prepare(SP_GENERATION)) sp_panic("%s", sp_error());
    char *content = sp_strndup((const char *)data, size), *rest = content, *lines[MOST_TEXTS];
    size_t count = 0;
    while (rest && count < MOST_TEXTS) lines[count++] = strsep(&rest, "\n");
    check_all(lines, count);
    free(content);
    return 0;
}
