/* The reader of wnentail: a sentence that defines a noun X, and a statement about X that WordNet's
 * hierarchy of kinds makes true or false.
 *
 *   true        X is a kind of P         P the parent of X
 *   sibling     X is a kind of S         S another child of P
 *   converse    P is a kind of X
 *   near miss   X is a kind of U         U a sibling of P, else another class of X's file
 *
 * A noun X makes a true and a false statement under the same definition, so that the definition
 * alone tells nothing, and X and P make the same bag of words either way round. Families (a noun
 * and its children) are dealt out to the splits; what a split's definitions and statements are
 * about never is in another. */
#include "data/countable.h"
#include "data/facts.h"
#include "data/generated.h"
#include "data/gloss.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_WORDS = 4,
    MAX_WORDS = 24,
    MAX_DEPTH = 20,
    MAX_CHILDREN = 16, /* of a family: "person" has hundreds */
    NO_SPLIT = -1,
    TRIES = 16,
    TOLD = 9, /* of every 10 definitions hold the name of the parent */
    OF = 10
};

typedef enum falsehood { SIBLING, CONVERSE, NEAR_MISS, FALSEHOODS } falsehood;

static const char *const falsehood_names[FALSEHOODS] = {"sibling", "converse", "near miss"};

/* What is known of a noun. */
typedef struct member {
    char *definition; /* what follows "A poodle is "; NULL: the noun takes no part */
    int parent;       /* -1: none that takes part */
    sp_ints children;
    int split; /* or NO_SPLIT */
} member;

/* A statement: "subject is a kind of object", under the definition of `defined`. */
typedef struct statement {
    int defined, subject, object;
    int label;
    const char *category;
} statement;

typedef struct maker {
    const sp_card *card;
    const sp_wordnet *wordnet;
    member *members; /* [wordnet->count] */
    sp_generated settings;
    sp_rng rng;
    int yes, no;                 /* labels */
    sp_ints subjects[SP_SPLITS]; /* nouns whose parent is in their split */
} maker;

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* The gloss up to its first semicolon, without what stands in parentheses. */
static char *first_sentence(const char *gloss) {
    char *whole = sp_gloss_definition(gloss);
    if (!whole) return NULL;
    sp_buf out = {0};
    int depth = 0;
    for (const char *p = whole; *p && *p != ';'; p++) {
        if (*p == '(') {
            depth++;
            while (out.len > 0 && out.data[out.len - 1] == ' ') out.data[--out.len] = '\0';
        }
        if (depth == 0) sp_buf_putc(&out, *p);
        if (*p == ')') depth--;
    }
    free(whole);
    while (out.len > 0 && out.data[out.len - 1] == ' ') out.data[--out.len] = '\0';
    return sp_buf_take(&out);
}

/* "A poodle is an intelligent dog ..." reads well; "A poodle is small dog ..." and "A poodle is of
 * the ..." do not. */
static bool fits_behind_is(const char *definition, sp_article article) {
    static const char *const noun_phrases[] = {"a ",      "an ",     "the ",     "any ",
                                               "one of ", "either ", "someone ", "something "};
    static const char *const others[] = {"of ",        "to ",     "used ",    "in ",
                                         "being ",     "having ", "that ",    "where ",
                                         "according ", "when ",   "relating "};
    for (size_t i = 0; i < sizeof noun_phrases / sizeof *noun_phrases; i++)
        if (starts_with(definition, noun_phrases[i])) return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (starts_with(definition, others[i])) return false;
    return article == SP_MASS;
}

static char *make_definition(const sp_wordnet *wordnet, int index) {
    const sp_noun *noun = &wordnet->nouns[index];
    if (!sp_is_fit_subject(noun) || isupper((unsigned char)noun->names[0][0])) return NULL;
    char *text = first_sentence(noun->gloss);
    if (!text) return NULL;
    int words = sp_count_words(text);
    if (words >= MIN_WORDS && words <= MAX_WORDS &&
        fits_behind_is(text, sp_article_of(wordnet, index, noun->names[0])))
        return text;
    free(text);
    return NULL;
}

static int first_parent(const sp_noun *noun) {
    for (int i = 0; i < noun->link_count; i++)
        if (noun->links[i].relation == SP_KIND_OF) return noun->links[i].target;
    return -1;
}

/* "a sports car is a kind of car" needs no knowledge. */
static bool share_name(const maker *m, int a, int b) {
    const char *x = m->wordnet->nouns[a].names[0], *y = m->wordnet->nouns[b].names[0];
    return sp_text_has_word(x, sp_last_word(y)) || sp_text_has_word(y, sp_last_word(x));
}

static void find_families(maker *m) {
    int tops = sp_lexfile_find("Tops");
    for (int i = 0; i < m->wordnet->count; i++) {
        m->members[i].split = NO_SPLIT;
        m->members[i].parent = -1;
        m->members[i].definition = make_definition(m->wordnet, i);
    }
    for (int i = 0; i < m->wordnet->count; i++) {
        int parent = first_parent(&m->wordnet->nouns[i]);
        if (!m->members[i].definition || parent < 0 || !m->members[parent].definition ||
            m->wordnet->nouns[parent].lexfile == tops || share_name(m, i, parent))
            continue;
        m->members[i].parent = parent;
        sp_ints_push(&m->members[parent].children, i);
    }
}

/* The split that is furthest behind its size. */
static int neediest(const maker *m) {
    int best = 0;
    for (int s = 1; s < SP_SPLITS; s++)
        if ((double)m->subjects[s].len / m->settings.sizes[s] <
            (double)m->subjects[best].len / m->settings.sizes[best])
            best = s;
    return best;
}

static void deal_family(maker *m, int parent) {
    member *head = &m->members[parent];
    if (head->split == NO_SPLIT) head->split = neediest(m);
    size_t taken = 0;
    for (size_t i = 0; i < head->children.len && taken < MAX_CHILDREN; i++) {
        member *child = &m->members[head->children.data[i]];
        if (child->split == NO_SPLIT) child->split = head->split;
        if (child->split != head->split) continue;
        sp_ints_push(&m->subjects[head->split], head->children.data[i]);
        taken++;
    }
}

/* Families in a random order; a noun stays in the split that its first family went to. */
static void deal_families(maker *m) {
    sp_ints heads = {0};
    for (int i = 0; i < m->wordnet->count; i++) {
        sp_ints *children = &m->members[i].children;
        if (children->len < 2) continue;
        sp_rng_shuffle(&m->rng, children->data, children->len, sizeof *children->data);
        sp_ints_push(&heads, i);
    }
    sp_rng_shuffle(&m->rng, heads.data, heads.len, sizeof *heads.data);
    for (size_t i = 0; i < heads.len; i++) deal_family(m, heads.data[i]);
    sp_ints_free(&heads);
}

static bool is_above(const sp_wordnet *wordnet, int above, int below, int depth) {
    if (above == below) return true;
    const sp_noun *noun = &wordnet->nouns[below];
    for (int i = 0; depth < MAX_DEPTH && i < noun->link_count; i++)
        if ((noun->links[i].relation == SP_KIND_OF || noun->links[i].relation == SP_INSTANCE_OF) &&
            is_above(wordnet, above, noun->links[i].target, depth + 1))
            return true;
    return false;
}

/* X is surely not a kind of `other`, as far as WordNet tells, and the names do not give it away. */
static bool is_foreign(const maker *m, int x, int other) {
    return m->members[other].split == m->members[x].split && !share_name(m, x, other) &&
           !is_above(m->wordnet, other, x, 0) && !is_above(m->wordnet, x, other, 0);
}

static bool is_class(const maker *m, int noun) {
    return m->members[noun].children.len > 0;
}

/* A foreign child of `parent`, one that has kinds of its own if there is such; -1 if none. */
static int pick_child(maker *m, int x, int parent) {
    const sp_ints *children = &m->members[parent].children;
    int found = -1;
    for (size_t i = 0; i < children->len; i++) {
        size_t start = sp_rng_below(&m->rng, (uint32_t)children->len);
        int child = children->data[(start + i) % children->len];
        if (!is_foreign(m, x, child)) continue;
        if (is_class(m, child)) return child;
        found = child;
    }
    return found;
}

static int pick_near_miss(maker *m, int x) {
    int parent = m->members[x].parent, grandparent = m->members[parent].parent;
    int uncle = grandparent >= 0 ? pick_child(m, x, grandparent) : -1;
    if (uncle >= 0 && is_class(m, uncle)) return uncle;
    const sp_ints *pool = &m->subjects[m->members[x].split];
    for (int i = 0; i < TRIES; i++) {
        int other = m->members[pool->data[sp_rng_below(&m->rng, (uint32_t)pool->len)]].parent;
        if (m->wordnet->nouns[other].lexfile == m->wordnet->nouns[x].lexfile &&
            is_foreign(m, x, other))
            return other;
    }
    return uncle;
}

/* False if the noun has no statement of this kind. */
static bool make_falsehood(maker *m, int x, falsehood kind, statement *out) {
    int parent = m->members[x].parent, object = -1;
    if (kind == SIBLING) object = pick_child(m, x, parent);
    if (kind == NEAR_MISS) object = pick_near_miss(m, x);
    if (kind == CONVERSE) object = x;
    *out = (statement){.defined = x,
                       .subject = kind == CONVERSE ? parent : x,
                       .object = object,
                       .label = m->no,
                       .category = falsehood_names[kind]};
    return object >= 0;
}

static char *capitalised(char *text) {
    text[0] = (char)toupper((unsigned char)text[0]);
    return text;
}

static char *subject_phrase(const maker *m, int noun) {
    const char *name = m->wordnet->nouns[noun].names[0];
    return capitalised(sp_with_article(name, sp_article_of(m->wordnet, noun, name)));
}

static void add_statement(const maker *m, const statement *s, sp_split *out) {
    char *defined = subject_phrase(m, s->defined), *subject = subject_phrase(m, s->subject);
    char *text =
        sp_format("%s is %s.%s%s is a kind of %s.", defined, m->members[s->defined].definition,
                  m->card->pair, subject, m->wordnet->nouns[s->object].names[0]);
    sp_add_classified(m->card, s->label, text, s->category, out);
    free(defined), free(subject);
}

/* The definition says what the noun is: "A poodle is an intelligent dog ...". */
static bool tells_parent(const maker *m, int x) {
    const char *parent = m->wordnet->nouns[m->members[x].parent].names[0];
    return sp_text_has_word(m->members[x].definition, sp_last_word(parent));
}

/* The split's nouns in a random order but with common ones first, TOLD of every OF told by their
 * definitions as long as there are both sorts. */
static sp_ints order_subjects(maker *m, sp_split_name split) {
    sp_ints *pool = &m->subjects[split], sorts[2] = {{0}}, order = {0};
    sp_rng_shuffle(&m->rng, pool->data, pool->len, sizeof *pool->data);
    for (int rare = 0; rare <= 1; rare++)
        for (size_t i = 0; i < pool->len; i++)
            if (m->wordnet->nouns[pool->data[i]].common != rare)
                sp_ints_push(&sorts[tells_parent(m, pool->data[i])], pool->data[i]);
    size_t next[2] = {0};
    while (order.len < pool->len) {
        bool told = order.len % OF < TOLD;
        if (next[told] == sorts[told].len) told = !told;
        sp_ints_push(&order, sorts[told].data[next[told]++]);
    }
    sp_ints_free(&sorts[0]), sp_ints_free(&sorts[1]);
    return order;
}

/* True and false statements in pairs; the last pair of an odd size lacks the false one. */
static sp_status fill_split(maker *m, sp_split_name split, sp_split *out) {
    sp_ints order = order_subjects(m, split);
    size_t size = (size_t)m->settings.sizes[split];
    int falsehoods = 0;
    for (size_t i = 0; i < order.len && out->count < size; i++) {
        int x = order.data[i];
        statement wrong, right = {x, x, m->members[x].parent, m->yes, "kind"};
        if (!make_falsehood(m, x, (falsehood)(falsehoods % FALSEHOODS), &wrong)) continue;
        falsehoods++;
        add_statement(m, &right, out);
        if (out->count < size) add_statement(m, &wrong, out);
    }
    sp_ints_free(&order);
    sp_rng_shuffle(&m->rng, out->items, out->count, sizeof *out->items);
    if (out->count == size) return SP_OK;
    return sp_fail(SP_ERR_DATA,
                   "%s: WordNet gives %zu statements to split %s, but it asks for %zu; ask for "
                   "fewer in every split",
                   m->card->path, out->count, sp_split_text(split), size);
}

static sp_status find_labels(maker *m) {
    m->yes = sp_label_set_find(m->card->labels, "yes", m->card->separator);
    m->no = sp_label_set_find(m->card->labels, "no", m->card->separator);
    if (m->yes >= 0 && m->no >= 0 && m->card->labels->count == 2) return SP_OK;
    return sp_yaml_fail(sp_yaml_get(m->card->root, "labels"),
                        "reader wnentail has two labels, yes and no; write labels: {yes: true, "
                        "no: false}");
}

static sp_status generate(maker *m, const bool wanted[SP_SPLITS], sp_split splits[SP_SPLITS]) {
    find_families(m);
    deal_families(m);
    sp_status st = SP_OK;
    for (int s = 0; s < SP_SPLITS && !st; s++) {
        sp_split made = {0};
        st = fill_split(m, (sp_split_name)s, &made);
        if (wanted[s] && !st)
            splits[s] = made;
        else
            sp_split_free(&made);
    }
    return st;
}

static void free_maker(maker *m) {
    for (int i = 0; m->members && i < m->wordnet->count; i++) {
        free(m->members[i].definition);
        sp_ints_free(&m->members[i].children);
    }
    for (int s = 0; s < SP_SPLITS; s++) sp_ints_free(&m->subjects[s]);
    free(m->members);
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    sp_wordnet wordnet = {0};
    maker m = {.card = card, .wordnet = &wordnet};
    sp_status st = sp_generated_read(card, &m.settings);
    if (!st) st = find_labels(&m);
    if (!st) st = sp_wordnet_load(&wordnet);
    if (!st) {
        m.rng = sp_rng_make(m.settings.seed, "wnentail");
        m.members = sp_alloc((size_t)wordnet.count, sizeof *m.members);
        st = generate(&m, wanted, splits);
    }
    free_maker(&m);
    sp_wordnet_free(&wordnet);
    return st;
}

const sp_reader sp_reader_wnentail = {
    .name = "wnentail", .kind = SP_SET_CLASSIFICATION, .together = true, .load = load};
