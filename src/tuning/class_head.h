/* What makes a language model a classifier: logits over the labels from one hidden state of each
 * sequence, or of each word, without logits over the vocabulary. It is that of the last token; of
 * an encoder that of [CLS] or of the mask token (tuning/frame.h).
 *
 * - verbalizer: the LM head's rows of the label words, one token each, score the next token (PET,
 *   Schick & Schuetze 2021, section 3; P-Tuning, section 3.1). A label with several words has the
 *   logarithm of their summed exponentials. The head has no parameters of its own.
 * - linear: a linear map that trains along with the method (P-tuning v2, section 3.3), on the last
 *   token as Hugging Face's GPT2ForSequenceClassification has it; its names are score.weight
 *   [labels, n_embd] and score.bias [labels]. Of BERT it is on what the pooler makes of [CLS], if
 *   the checkpoint has one (BertForSequenceClassification); of RoBERTa behind a map with tanh of
 * its own (RobertaClassificationHead): score.dense.weight [n_embd, n_embd], score.dense.bias.
 * - token-linear: a linear map of the same names on the first token of each word (P-tuning v2,
 *   section 3.3, for sequence tagging), without anything between, as Hugging Face's
 *   GPT2ForTokenClassification and BertForTokenClassification have it. */
#ifndef SP_TUNING_CLASS_HEAD_H
#define SP_TUNING_CLASS_HEAD_H

#include "data/dataset.h"
#include "format/hdf5.h"
#include "model/model.h"
#include "text/tokenizer.h"

/* The form of a run's answers; all but the first are class heads, the last one of words. */
typedef enum sp_output {
    SP_OUTPUT_TEXT,
    SP_OUTPUT_VERBALIZER,
    SP_OUTPUT_LINEAR,
    SP_OUTPUT_TOKEN_LINEAR
} sp_output;

/* "text", "verbalizer", "linear", "token-linear", NULL: in the order of the enum. */
extern const char *const sp_output_names[];

/* Start from {0}; release with sp_class_head_free. */
typedef struct sp_class_head {
    sp_output output;
    sp_strings labels; /* names, in the order of the data set */
    sp_ints words;     /* verbalizer: the tokens of all label words, label by label */
    sp_ints label_of;  /* [words.len] verbalizer: whose word it is */
    sp_params params;  /* linear, token-linear: weight and bias; they train */
    sp_var *weight, *bias;
    sp_var *dense_weight, *dense_bias; /* of the map before them, or NULL */
} sp_class_head;

/* A head of the given form (not text) over labels [count], which are copied. A linear map starts as
 * torch's Linear does. SP_ERR_DATA for fewer than two labels; SP_ERR_SPEC for a label word that is
 * not one token, or a token that is a word twice, or a verbalizer on an encoder without masked-LM
 * head. `out` is {0} after an error. */
sp_status sp_class_head_create(sp_output output, const sp_label *labels, size_t count,
                               const sp_tokenizer *tokenizer, const sp_model *model, uint64_t seed,
                               sp_class_head *out);
void sp_class_head_free(sp_class_head *head);

/* Freezes the parts of the model that the head does not read, which a method may have switched on:
 * the pooler for all but linear, a masked-LM head for all but verbalizer. */
void sp_class_head_freeze_rest(const sp_class_head *head, sp_model *model);

/* hidden [rows, n_embd], the rows that are read (of each sequence, or of each word) -> logits
 * [rows, labels]. */
sp_var *sp_class_logits(sp_tape *t, const sp_class_head *head, const sp_model *model,
                        sp_var *hidden);

/* Leaves each row the labels of its task: the logits of the others get minus 1e9, so that neither
 * loss nor prediction sees them. allowed [tasks, labels], or NULL for `logits` as they are; task
 * [rows] of each row. The sets of a mixture so have heads of their own (P-tuning v2, section 3.3)
 * that share the labels of the same name. */
sp_var *sp_class_mask(sp_tape *t, sp_var *logits, const bool *allowed, const int *task);

/* The label with the largest of logits [labels]; the first of equals. */
int sp_class_best(const sp_class_head *head, const float *logits);

/* Group /prompt/score of a run file: attribute `output`, `labels`; `words` and `label_of`, or
 * `weight` [labels, n_embd] and `bias` [labels], `dense_weight` and `dense_bias` if it has them. */
sp_status sp_class_head_write(const sp_class_head *head, sp_h5 *file);
/* Reads it for `model`; a file without that group gives {0}, which has the output text.
 * SP_ERR_FORMAT if it does not fit. */
sp_status sp_class_head_read(sp_h5 *file, const sp_model *model, sp_class_head *out);

#endif
