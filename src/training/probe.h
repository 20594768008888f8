/* Two deterministic probes of how well an unsteered model copies from its context. */
#ifndef SP_TRAINING_PROBE_H
#define SP_TRAINING_PROBE_H

#include "model/model.h"
#include "text/documents.h"
#include "text/tokenizer.h"

/* Induction. 50 sequences, each of 32 tokens drawn uniformly from the ordinary vocabulary (every
 * token of the tokenizer that has a text and is not special; stream "induction" of seed 1) and the
 * same 32 again, with nothing before them. Measured for the tokens of each copy from its second one
 * on, 50 x 31 of them: how often the token is the likeliest next one (the lowest id if several
 * are), and the mean natural log-probability. A model that does not look back has the same numbers
 * for both copies; one that copies does better on the second. */
enum { SP_INDUCTION_SEQUENCES = 50, SP_INDUCTION_LENGTH = 32 };

typedef struct sp_copy_score {
    double accuracy; /* share in [0, 1] */
    double logprob;  /* mean, natural */
} sp_copy_score;

typedef struct sp_induction {
    sp_copy_score first, second;
} sp_induction;

/* SP_ERR_DATA if the context is below 63 tokens or the tokenizer has no ordinary token. */
sp_status sp_probe_induction(const sp_model *model, const sp_tokenizer *tokenizer,
                             sp_induction *out);

/* Values from a record. The first 100 documents that are records (training/record.h), whose line of
 * text, the reference, mentions at least one of the record's values (sp_text_mentions), has at most
 * 160 tokens and fits into the context with the record and an end token. The model reads the record
 * and a line end and goes on greedily up to its end token, 160 tokens or the end of the context.
 * Measured: of all values that the references mention, the share that the model's texts mention.
 * Values the reference leaves out are not counted; a value counts once a record. */
enum { SP_NAMES_RECORDS = 100, SP_NAMES_TOKENS = 160 };

typedef struct sp_names {
    size_t records; /* 0 if the documents hold none; the rest is then 0 too */
    size_t values;  /* mentioned by the references */
    size_t copied;  /* of these, mentioned by the model */
} sp_names;

/* Errors as sp_generate. */
sp_status sp_probe_names(const sp_model *model, const sp_tokenizer *tokenizer,
                         sp_documents documents, sp_names *out);

#endif
