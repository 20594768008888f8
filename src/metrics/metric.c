#include "metrics/metric.h"

#include "core/memory.h"
#include "core/option.h"

#include <stdlib.h>
#include <string.h>

const sp_metric *const sp_metrics[SP_METRIC_COUNT] = {
#define SP_METRIC(name) &sp_metric_##name,
#include "metrics/metrics.def"
#undef SP_METRIC
};

const sp_metric *sp_metric_find(const char *name) {
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        if (strcmp(sp_metrics[i]->name, name) == 0) return sp_metrics[i];
    return NULL;
}

sp_status sp_metric_require(const char *name, const sp_metric **out) {
    *out = sp_metric_find(name);
    if (*out) return SP_OK;
    const char *names[SP_METRIC_COUNT + 1] = {NULL};
    for (int i = 0; i < SP_METRIC_COUNT; i++) names[i] = sp_metrics[i]->name;
    char *all = sp_list_text(names, SP_METRIC_COUNT);
    sp_status st = sp_fail(SP_ERR_SPEC, "unknown metric '%s'%s (the metrics are %s)", name,
                           sp_did_you_mean(name, names), all);
    free(all);
    return st;
}

sp_status sp_metrics_prepare(sp_task task) {
    sp_status st = SP_OK;
    for (int i = 0; !st && i < SP_METRIC_COUNT; i++)
        if (sp_metrics[i]->task == task && sp_metrics[i]->prepare) st = sp_metrics[i]->prepare();
    return st;
}

double sp_metric_add_up(const sp_metric *metric, const sp_scored_text *texts, size_t count) {
    double sums[SP_METRIC_SUMS] = {0}, *all = sp_alloc(count * metric->sums, sizeof *all);
    metric->measure(texts, count, all);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < metric->sums; k++) sums[k] += all[i * metric->sums + k];
    free(all);
    return metric->combine(sums, count);
}

double sp_metric_mean_percent(const double *sums, size_t count) {
    return count ? 100 * sums[0] / (double)count : 0;
}
