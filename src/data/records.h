/* Records of one to five WordNet facts about a noun, drawn for the splits of a generated set. */
#ifndef SP_DATA_RECORDS_H
#define SP_DATA_RECORDS_H

#include "data/generated.h"
#include "data/realise.h"

/* Fills an example, whose category and group are set, from a record. */
typedef void sp_tell_record(const sp_card *card, const sp_record *record, sp_rng *rng,
                            sp_example *out);

/* What a reader of such records does: the card's seed, sizes of splits and `categories` (seen and
 * unseen; half of the test records are of each), and an example a record. The draws depend on the
 * seed and the reader's name. SP_ERR_SPEC with file:line, SP_ERR_DATA if there are not so many
 * nouns, errors of sp_wordnet_load. */
sp_status sp_load_records(const sp_card *card, const bool wanted[SP_SPLITS],
                          sp_split splits[SP_SPLITS], sp_tell_record *tell);

#endif
