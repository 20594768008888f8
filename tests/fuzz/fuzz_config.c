/* Any bytes as config.json of any family: reading fails cleanly, or the sizes fit each other: the
 * number of weights is known, what is written is read again to the same, and a small model can be
 * made. */
#include "core/memory.h"
#include "model/config.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const double SMALL = 1e5; /* weights */
enum { FEW = 64 };

static bool is_small(const sp_config *c) {
    return c->n_layer <= FEW && c->n_head <= FEW && c->head_size <= FEW &&
           sp_family_find(c->model_type)->size(c) <= SMALL;
}

static void use(const sp_config *c) {
    double weights = sp_family_find(c->model_type)->size(c);
    if (!isfinite(weights) || weights < 1 || sp_config_kv_width(c) < 1) abort();
    sp_model *model = NULL;
    if (!is_small(c)) return;
    if (sp_model_new(c, &model)) abort();
    sp_model_free(model);
}

static void write_and_read(const sp_config *c) {
    json_t *root = sp_family_find(c->model_type)->write_config(c);
    sp_config again;
    if (!root || sp_config_from_json((sp_config_source){"written", root}, &again)) abort();
    if (strcmp(again.model_type, c->model_type) != 0 || again.n_layer != c->n_layer ||
        again.n_embd != c->n_embd || again.head_size != c->head_size)
        abort();
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    sp_config c;
    if (json_is_object(root) && !sp_config_from_json((sp_config_source){"fuzz", root}, &c)) {
        use(&c);
        write_and_read(&c);
    }
    json_decref(root);
    return 0;
}
