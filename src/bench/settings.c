#include "bench/settings.h"

#define FIELD(name) offsetof(sp_bench_settings, name)
const sp_option sp_bench_option_table[] = {
    {"method", SP_CHOICE, FIELD(method), "prefix", 0, 0, "prefix|p-tuning-v2",
     "what is trained: a prefix through an MLP, or directly"},
    {"threads", SP_INT, FIELD(threads), "0", 0, 1024, NULL, "threads; 0: all CPUs"},
    {"batch", SP_INT, FIELD(batch), "16", 1, 4096, NULL, "sequences a step"},
    {"steps", SP_INT, FIELD(steps), "4", 1, 1e6, NULL, "repetitions of each measurement"},
    {"prefix", SP_INT, FIELD(prefix), "10", 1, 1e5, NULL, "length of the prefix"},
    {"hidden", SP_INT, FIELD(hidden), "512", 1, 65536, NULL, "hidden size of the prefix's MLP"},
    {"tokens", SP_INT, FIELD(tokens), "48", 1, 1e5, NULL, "new tokens a sequence in generation"},
    {"beam", SP_INT, FIELD(beam), "5", 2, 1024, NULL, "beams of beam search"},
    {"seed", SP_INT, FIELD(seed), "1", 0, 1e9, NULL, "of weights, sequences and parameters"},
    {0}};
#undef FIELD
