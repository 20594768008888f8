/* What learned virtual tokens are like: the vocabulary tokens nearest to them by cosine in the
 * model's embedding space (Prompt Tuning, Lester et al. 2021, section 7). */
#ifndef SP_TUNING_NEIGHBOURS_H
#define SP_TUNING_NEIGHBOURS_H

#include "autograd/tape.h"
#include "text/tokenizer.h"

typedef struct sp_neighbour {
    int token;
    float cosine;
} sp_neighbour;

/* How many neighbours are looked at for clusters. */
enum { SP_NEIGHBOUR_CLUSTER = 5 };

/* Release with sp_neighbours_free. */
typedef struct sp_neighbours {
    long count, vocabulary; /* virtual tokens, vocabulary tokens */
    int top;
    float *cosines;        /* [count, vocabulary] */
    sp_neighbour *nearest; /* [count, top] by falling cosine; of equals the smaller id first */
} sp_neighbours;

/* The `top` nearest (fewer if the vocabulary is smaller) of `vocabulary` first rows of the input
 * embedding [.., n_embd] to each of rows [count, n_embd]. The cosine with a row of zeros is 0. */
void sp_neighbours_find(const sp_var *rows, const sp_var *embedding, long vocabulary, int top,
                        sp_neighbours *out);
void sp_neighbours_free(sp_neighbours *n);

/* The place (from 1) among all tokens of the one of tokens [count] that comes nearest to a virtual
 * token, *row, from 0: 1 + the number of tokens with a larger cosine. */
long sp_neighbours_rank(const sp_neighbours *n, const int *tokens, size_t count, long *row);

/* The share of the vocabulary that is among the `top` nearest of any virtual token: with which a
 * token drawn blindly from the vocabulary would be found there. */
double sp_neighbours_share(const sp_neighbours *n);

typedef struct sp_clusters {
    long distinct;  /* different tokens among the nearest ones of all virtual tokens */
    long clustered; /* virtual tokens with word variants among their neighbours */
    double chance;  /* the share of clustered ones if neighbours were drawn from the vocabulary */
} sp_clusters;

/* Word variants are tokens of the same form: the token's text without white space and # at its
 * ends, case folded, then its stem by Snowball's English stemmer; texts without a letter have no
 * form. A virtual token is clustered if two of its SP_NEIGHBOUR_CLUSTER nearest share a form.
 * n->top must be at least that, or the whole vocabulary. */
sp_clusters sp_neighbours_clusters(const sp_neighbours *n, const sp_tokenizer *tokenizer);

#endif
