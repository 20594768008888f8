/* Any bytes, cut at newlines into a hypothesis and its references, score between 0 and 100. */
#include "core/memory.h"
#include "core/status.h"
#include "metrics/metric.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REFERENCES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *content = sp_strndup((const char *)data, size), *rest = content;
    const char *references[MOST_REFERENCES];
    sp_scored_text text = {strsep(&rest, "\n"), references, 0};
    while (rest && text.reference_count < MOST_REFERENCES)
        references[text.reference_count++] = strsep(&rest, "\n");
    for (int i = 0; i < SP_METRIC_COUNT; i++) {
        double score = sp_metrics[i]->score(&text, 1);
        if (!(score >= 0 && score <= 100 + 1e-9))
            sp_panic("%s scores %g", sp_metrics[i]->name, score);
    }
    free(content);
    return 0;
}
