/* Any bytes as the progress file of a run: what is not understood is unknown, and no text has
 * control characters. The same bytes as a limit of time and memory. */
#include "experiment/limits.h"
#include "scheduling/run_progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_word(const char word[SP_PROGRESS_WORD]) {
    if (!memchr(word, '\0', SP_PROGRESS_WORD)) sp_panic("a word has no end");
    for (; *word; word++)
        if ((unsigned char)*word < ' ' || *word == 127) sp_panic("a word has a control character");
}

static void check_limit(bool (*parse)(const char *, double *), const char *text) {
    double value = -1;
    bool read = parse(text, &value);
    if (read ? !(value > 0) || isinf(value) : value > -1)
        sp_panic("'%s' is read as %g", text, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sp_run_progress p = sp_run_progress_parse((const char *)data, size);
    if (p.pid < 0 || p.step < 0 || p.steps < 0) sp_panic("a negative count");
    check_word(p.host);
    check_word(p.started);
    check_word(p.phase);
    char *text = sp_strndup((const char *)data, size);
    check_limit(sp_limits_parse_time, text);
    check_limit(sp_limits_parse_memory, text);
    free(text);
    return 0;
}
