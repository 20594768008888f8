#include "experiment/transfer.h"

#include "experiment/groups.h"

#include <stdlib.h>
#include <string.h>

/* ---- the key ---- */

static sp_status check_name(const sp_yaml *list, size_t index) {
    const sp_yaml *node = list->items[index];
    sp_status st = sp_yaml_expect(node, SP_YAML_SCALAR, "a data set of transfer");
    if (st) return st;
    if (strlen(node->text) >= SP_OPTION_TEXT)
        return sp_yaml_fail(node, "the name of a data set of transfer is over %d bytes long",
                            SP_OPTION_TEXT - 1);
    char *group = sp_dataset_group(node->text);
    const char *taken = sp_group_taken(group);
    if (taken)
        st = sp_yaml_fail(node, "transfer has '%s', but '%s' %s; give the set another name",
                          node->text, group, taken);
    for (size_t i = 0; !st && i < index; i++) {
        char *other = sp_dataset_group(list->items[i]->text);
        if (strcmp(group, other) == 0)
            st = sp_yaml_fail(node, "transfer has two sets called '%s'; name each once", group);
        free(other);
    }
    free(group);
    return st;
}

sp_status sp_transfer_read(const sp_yaml *node, sp_run_spec *run) {
    sp_status st = sp_yaml_expect(node, SP_YAML_LIST, "transfer");
    if (!st && node->count > SP_TRANSFERS)
        st = sp_yaml_fail(node, "transfer has %zu data sets; use at most %d", node->count,
                          SP_TRANSFERS);
    for (size_t i = 0; !st && i < node->count; i++) {
        st = check_name(node, i);
        if (!st) memcpy(run->transfer[i], node->items[i]->text, strlen(node->items[i]->text) + 1);
    }
    run->transfer_count = st ? 0 : node->count;
    return st;
}

/* ---- the sets ---- */

static const char *kind_of(const sp_label *labels, bool tagged) {
    return !labels ? "texts to generate" : tagged ? "tags of words" : "labels of texts";
}

static bool knows(const sp_setup *s, const char *label) {
    for (size_t i = 0; i < s->label_count; i++)
        if (strcmp(s->labels[i].name, label) == 0) return true;
    return false;
}

/* Labels carry over by name. */
static sp_status check_labels(const sp_setup *s, const char *name, const sp_dataset *set) {
    const sp_label *labels;
    size_t count;
    sp_status st = sp_dataset_labels(set, &labels, &count);
    if (st) return st;
    const char *has = kind_of(labels, sp_dataset_is_tagged(set));
    const char *own = kind_of(s->labels, sp_dataset_is_tagged(s->dataset));
    if (strcmp(has, own) != 0)
        return sp_fail(SP_ERR_DATA,
                       "transfer: data set '%s' has %s, but the run's '%s' has %s; leave it out",
                       name, has, s->run->dataset, own);
    for (size_t i = 0; i < count; i++)
        if (!knows(s, labels[i].name))
            return sp_fail(
                SP_ERR_DATA,
                "transfer: label '%s' of data set '%s' is none of the run's '%s'; labels "
                "carry over by name, so test on a set that has no others",
                labels[i].name, name, s->run->dataset);
    return SP_OK;
}

static sp_status check_set(const sp_setup *s, const char *name, const sp_dataset *set) {
    if (sp_dataset_is_mixture(s->dataset))
        return sp_fail(
            SP_ERR_DATA,
            "transfer: the run's data set '%s' is a mixture, whose answers depend on the "
            "set that an example is of; leave out transfer",
            s->run->dataset);
    if (sp_dataset_is_mixture(set))
        return sp_fail(SP_ERR_DATA, "transfer: data set '%s' is a mixture; name its sets", name);
    return check_labels(s, name, set);
}

static sp_status open_set(sp_setup *s, sp_assets *assets, const char *name, const sp_part **out) {
    const sp_dataset *set;
    sp_status st = sp_assets_dataset(assets, name, &set);
    if (st) return sp_fail_in(st, "transfer");
    if ((st = check_set(s, name, set))) return st;
    sp_part_name part = {.dataset = name,
                         .split = "test",
                         .limit = s->run->test_limit,
                         .model = s->run->model,
                         .output = s->output,
                         .separator = sp_dataset_separator(s->dataset),
                         .tokenizer = s->tokenizer,
                         .eos = sp_examples_end(s->model)};
    return sp_assets_part(assets, &part, out);
}

sp_status sp_transfer_open(sp_setup *s, sp_assets *assets) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < s->run->transfer_count; i++) {
        const char *name = s->run->transfer[i];
        if (strcmp(name, s->run->dataset) == 0)
            s->transfer[i] = s->test;
        else
            st = open_set(s, assets, name, &s->transfer[i]);
    }
    return st;
}
