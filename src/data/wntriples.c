/* The reader of wntriples: records of one to five WordNet facts about a noun, told by our own
 * grammar. The facts are real, the sentences are generated. */
#include "data/records.h"

static void tell(const sp_card *card, const sp_record *record, sp_rng *rng, sp_example *out) {
    (void)card;
    out->input = sp_record_input(record);
    int references = sp_rng_below(rng, 3) == 0 ? 2 : 3;
    sp_realise(record, rng, references, &out->references);
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    return sp_load_records(card, wanted, splits, tell);
}

const sp_reader sp_reader_wntriples = {.name = "wntriples", .together = true, .load = load};
