/* A model, a method at work on it, and an optimizer: what is measured. */
#ifndef SP_BENCH_SUBJECT_H
#define SP_BENCH_SUBJECT_H

#include "bench/settings.h"
#include "bench/workload.h"
#include "training/objective.h"
#include "training/optimizer.h"
#include "tuning/soft_prompt.h"

/* Start from {0}; release with sp_subject_close, also after an error. */
typedef struct sp_subject {
    sp_model *model; /* it has no end token: every generation takes all its tokens */
    sp_tuner tuner;
    sp_param **trained;
    sp_optimizer optimizer;
    sp_tape tape;
    sp_packed batch;
    sp_soft_prompt prompt; /* as of the last sp_subject_evaluate */
} sp_subject;

/* Opens the model in job->precision. */
sp_status sp_subject_open(const sp_bench_job *job, sp_subject *out);
/* Makes the method's parameters and AdamW (learning rate `lr`, no decay, no clipping), after the
 * model is open. SP_ERR_SPEC if sequences of `longest` tokens do not fit behind the prefix;
 * prefix 0 trains nothing and is for generation. */
sp_status sp_subject_tune(const sp_bench_job *job, double lr, int longest, sp_subject *s);
void sp_subject_close(sp_subject *s);

/* The method's parameters from a safetensors file by name. SP_ERR_FORMAT for other shapes. */
sp_status sp_subject_load(sp_subject *s, const char *path);

/* Fills s->batch: the second half of each sequence is scored. */
void sp_subject_pack(sp_subject *s, const sp_sequences *sequences);
/* One step of training on s->batch. */
sp_status sp_subject_step(sp_subject *s, double *loss);

/* Takes the prefix from the parameters as they are now. */
sp_status sp_subject_evaluate(sp_subject *s);
/* Continues all inputs at once by exactly `tokens` tokens, greedily or with beams; out [count] of
 * the inputs. */
sp_status sp_subject_generate(sp_subject *s, const sp_sequences *inputs, int beam, int tokens,
                              sp_ints *out);

#endif
