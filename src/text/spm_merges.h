/* The merges of a SentencePiece BPE model, which has only scores: two neighbours may become one
 * token if their texts together are one, the token with the highest score first. */
#ifndef SP_TEXT_SPM_MERGES_H
#define SP_TEXT_SPM_MERGES_H

#include "core/status.h"

#include <jansson.h>

/* Appends the merges [left, right] of a vocabulary {text: id}, whose ids are below the number of
 * scores, in the order of transformers' converter. SP_ERR_FORMAT if there are too many. */
sp_status sp_spm_merges(json_t *vocabulary, const double *scores, json_t *merges);

#endif
