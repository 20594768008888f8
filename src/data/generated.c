/* The shared keys of generated sets, and their examples. */
#include "data/generated.h"

enum { MAX_EXAMPLES = 1000000 };

sp_status sp_generated_read(const sp_card *card, sp_generated *out) {
    int seed;
    sp_status st = sp_yaml_int_or(card->root, "seed", 0, 1 << 30, 1, &seed);
    if (st) return st;
    out->seed = (uint64_t)seed;
    const sp_yaml *splits;
    if ((st = sp_yaml_map_or_null(card->root, "splits", &splits))) return st;
    for (int i = 0; i < SP_SPLITS; i++)
        if ((st = sp_yaml_int(splits, sp_split_text((sp_split_name)i), 1, MAX_EXAMPLES,
                              &out->sizes[i])))
            return st;
    return SP_OK;
}

void sp_add_classified(const sp_card *card, int label, char *input, const char *category,
                       sp_split *out) {
    sp_example *example = sp_split_add(out);
    example->input = input;
    example->category = sp_strdup(category);
    example->group = sp_strdup("");
    example->label = label;
    sp_strings_push(&example->references, card->labels->items[label].words.data[0]);
}
