/* A text is planned in three steps: facts of one relation become one clause ("has a wing and a
 * tail"), clauses are put in an order, and sentences take one to three clauses each in one of five
 * shapes. */
#include "data/realise.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef enum form {
    BARE,               /* kind of bird */
    INDEFINITE,         /* has a wing, contains snow */
    PLURAL,             /* made of bricks */
    BARE_AGREEING,      /* called serviette; called serviettes after a plural subject */
    INDEFINITE_AGREEING /* opposite of a descent; opposite of descents */
} form;

/* verb and text before and after the object, for a singular and for a plural subject. */
typedef struct predicate {
    const char *verb[2], *before[2], *after[2];
    form form;
} predicate;

enum { VARIANTS = 3 };

#define IS                                                                                         \
    { "is", "are" }
#define SAME(text)                                                                                 \
    { text, text }
#define NOTHING                                                                                    \
    { "", "" }
static const predicate predicates[SP_RELATIONS][VARIANTS] = {
    [SP_KIND_OF] = {{IS, SAME("a kind of "), NOTHING, BARE},
                    {IS, SAME("a type of "), NOTHING, BARE},
                    {IS, SAME("a sort of "), NOTHING, BARE}},
    [SP_HAS_KIND] = {{{"has", "have"}, SAME("such kinds as "), NOTHING, BARE},
                     {{"comes", "come"}, SAME("in kinds such as "), NOTHING, BARE},
                     {{"covers", "cover"}, SAME("kinds such as "), NOTHING, BARE}},
    [SP_INSTANCE_OF] = {{IS, NOTHING, NOTHING, INDEFINITE},
                        {IS, SAME("an example of "), NOTHING, INDEFINITE},
                        {IS, SAME("an instance of "), NOTHING, INDEFINITE}},
    [SP_PART_OF] = {{IS, SAME("part of "), NOTHING, INDEFINITE},
                    {{"belongs", "belong"}, SAME("to "), NOTHING, INDEFINITE},
                    {{"forms", "form"}, SAME("part of "), NOTHING, INDEFINITE}},
    [SP_HAS_PART] = {{{"has", "have"}, NOTHING, NOTHING, INDEFINITE},
                     {{"includes", "include"}, NOTHING, NOTHING, INDEFINITE},
                     {{"contains", "contain"}, NOTHING, NOTHING, INDEFINITE}},
    [SP_MADE_OF] = {{IS, SAME("made of "), NOTHING, PLURAL},
                    {{"consists", "consist"}, SAME("of "), NOTHING, PLURAL},
                    {IS, SAME("composed of "), NOTHING, PLURAL}},
    [SP_INGREDIENT_OF] = {{IS, SAME("found in "), NOTHING, INDEFINITE},
                          {IS, SAME("an ingredient of "), NOTHING, INDEFINITE},
                          {{"goes", "go"}, SAME("into "), NOTHING, INDEFINITE}},
    [SP_MEMBER_OF] =
        {{IS, {"a member of ", "members of "}, NOTHING, INDEFINITE},
         {IS, SAME("among the members of "), NOTHING, INDEFINITE},
         {{"counts", "count"}, {"as a member of ", "as members of "}, NOTHING, INDEFINITE}},
    [SP_HAS_MEMBER] =
        {{{"includes", "include"}, NOTHING, {" among its members", " among their members"}, PLURAL},
         {{"counts", "count"}, NOTHING, {" among its members", " among their members"}, PLURAL},
         {{"has", "have"}, NOTHING, SAME(" for members"), PLURAL}},
    [SP_DOMAIN] = {{{"belongs", "belong"}, SAME("to the field of "), NOTHING, BARE},
                   {{"comes", "come"}, SAME("from the field of "), NOTHING, BARE},
                   {IS, SAME("a matter of "), NOTHING, BARE}},
    [SP_ANTONYM] = {{IS, SAME("the opposite of "), NOTHING, INDEFINITE_AGREEING},
                    {IS, SAME("the reverse of "), NOTHING, INDEFINITE_AGREEING},
                    {{"contrasts", "contrast"}, SAME("with "), NOTHING, INDEFINITE_AGREEING}},
    [SP_DERIVED_VERB] = {{IS, SAME("related to the verb "), NOTHING, BARE},
                         {{"goes", "go"}, SAME("with the verb "), NOTHING, BARE},
                         {{"shares", "share"}, SAME("a root with the verb "), NOTHING, BARE}},
    [SP_DERIVED_ADJECTIVE] =
        {{IS, SAME("related to the adjective "), NOTHING, BARE},
         {{"goes", "go"}, SAME("with the adjective "), NOTHING, BARE},
         {{"shares", "share"}, SAME("a root with the adjective "), NOTHING, BARE}},
    [SP_ALSO_CALLED] = {{IS, SAME("also called "), NOTHING, BARE_AGREEING},
                        {IS, SAME("also known as "), NOTHING, BARE_AGREEING},
                        {{"goes", "go"}, SAME("by the name of "), NOTHING, BARE_AGREEING}},
};
#undef IS
#undef SAME
#undef NOTHING

/* What is said in one verb phrase. */
typedef struct clause {
    sp_relation relation;
    const char *verb;
    char *rest;
    int objects;
} clause;

/* How often, in percent, a text takes which choice. */
typedef struct text_style {
    uint32_t usual; /* each relation's first wording; the second is had by two thirds of the rest */
    uint32_t single;                            /* a sentence of one clause where there are more */
    uint32_t apposition, restriction, relative; /* shapes of the first sentence; else a chain */
    uint32_t shuffled; /* the order of clauses, else the record's with the class first */
    uint32_t plural;   /* "Sparrows ..." for nouns that are counted */
} text_style;

/* The first reference keeps to the usual, so that a record has an answer that can be learnt; the
 * others vary. */
static const text_style plain = {
    .usual = 85, .single = 10, .apposition = 12, .restriction = 15, .relative = 3};
static const text_style varied = {.usual = 60,
                                  .single = 25,
                                  .apposition = 25,
                                  .restriction = 20,
                                  .relative = 12,
                                  .shuffled = 60,
                                  .plural = 30};

typedef struct plan {
    const sp_record *record;
    const text_style *style;
    sp_rng *rng;
    bool plural, marked;
    clause clauses[SP_MAX_FACTS];
    int count;
    sp_buf text;
} plan;

static bool chance(sp_rng *rng, uint32_t percent) {
    return sp_rng_below(rng, 100) < percent;
}

static int pick_variant(const plan *p) {
    if (chance(p->rng, p->style->usual)) return 0;
    return chance(p->rng, 67) ? 1 : 2;
}

/* Puts marks around the noun at the end of `phrase`, from byte `noun` on; takes the phrase. */
static char *mark(const plan *p, char *phrase, size_t noun, sp_relation relation) {
    if (!p->marked) return phrase;
    char *marked = sp_format("%.*s%c%c%s%c", (int)noun, phrase, SP_MARK_BEGIN,
                             SP_MARK_RELATION + (int)relation, phrase + noun, SP_MARK_END);
    free(phrase);
    return marked;
}

static char *inflect(const plan *p, const sp_fact *fact, form how) {
    const sp_term *term = &fact->object;
    bool agreeing = how == BARE_AGREEING || how == INDEFINITE_AGREEING;
    bool plural = how == PLURAL || (agreeing && p->plural);
    if (plural && term->article == SP_COUNT && !sp_is_plural(term->text))
        return mark(p, sp_plural(term->text), 0, fact->relation);
    bool bare = how == BARE || how == BARE_AGREEING;
    char *phrase = bare ? sp_strdup(term->text) : sp_with_article(term->text, term->article);
    return mark(p, phrase, strlen(phrase) - strlen(term->text), fact->relation);
}

static clause make_clause(const plan *p, sp_relation relation) {
    const predicate *words = &predicates[relation][pick_variant(p)];
    const sp_record *record = p->record;
    sp_strings objects = {0};
    for (int i = 0; i < record->count; i++)
        if (record->facts[i].relation == relation)
            sp_strings_take(&objects, inflect(p, &record->facts[i], words->form));
    char *list = sp_join_list(&objects);
    clause made = {.relation = relation,
                   .verb = words->verb[p->plural],
                   .rest =
                       sp_format("%s%s%s", words->before[p->plural], list, words->after[p->plural]),
                   .objects = (int)objects.len};
    free(list);
    sp_strings_free(&objects);
    return made;
}

static bool is_class(sp_relation relation) {
    return relation == SP_KIND_OF || relation == SP_INSTANCE_OF;
}

/* The record's relations without repeats, shuffled or in its order; the class comes first but for
 * one in four of the shuffled texts. Returns how many. */
static int order_relations(const plan *p, int *out) {
    const sp_record *record = p->record;
    int count = 0;
    for (int i = 0; i < record->count; i++) {
        bool known = false;
        for (int k = 0; k < count; k++) known |= out[k] == (int)record->facts[i].relation;
        if (!known) out[count++] = (int)record->facts[i].relation;
    }
    bool shuffled = chance(p->rng, p->style->shuffled);
    if (shuffled) sp_rng_shuffle(p->rng, out, (size_t)count, sizeof *out);
    if (shuffled && chance(p->rng, 25)) return count;
    for (int i = 0; i < count; i++) {
        if (!is_class((sp_relation)out[i])) continue;
        int class = out[i];
        memmove(out + 1, out, (size_t)i * sizeof *out);
        out[0] = class;
        break;
    }
    return count;
}

static bool is_copula(const clause *c) {
    return strcmp(c->verb, "is") == 0 || strcmp(c->verb, "are") == 0;
}

/* "is a kind of bird and part of a flock": "is" is said once, except after another name ("is also
 * called gull and is part of ..."), before a class, and in a list with other verbs. */
static bool shares_verb(const clause *list, int count) {
    for (int i = 0; i < count; i++)
        if (!is_copula(&list[i]) || (list[i].relation == SP_ALSO_CALLED && i + 1 < count) ||
            (is_class(list[i].relation) && i > 0))
            return false;
    return true;
}

static void write_clauses(plan *p, int first, int count) {
    const clause *list = p->clauses + first;
    bool shared = shares_verb(list, count);
    for (int i = 0; i < count; i++) {
        if (i > 0) {
            bool last = i + 1 == count, after_list = list[i - 1].objects > 1;
            sp_buf_puts(&p->text, !last ? ", " : after_list ? ", and " : " and ");
        }
        if (i == 0 || !shared) sp_buf_printf(&p->text, "%s ", list[i].verb);
        sp_buf_puts(&p->text, list[i].rest);
    }
}

static void write_subject(plan *p) {
    const sp_term *subject = &p->record->subject;
    char *phrase =
        p->plural ? sp_plural(subject->text) : sp_with_article(subject->text, subject->article);
    phrase[0] = (char)toupper((unsigned char)phrase[0]);
    size_t article = p->plural ? 0 : strlen(phrase) - strlen(subject->text);
    phrase = mark(p, phrase, article, SP_RELATIONS);
    sp_buf_puts(&p->text, phrase);
    free(phrase);
}

static const char *pronoun(const plan *p) {
    if (p->plural) return "They";
    if (!p->record->person) return "It";
    return p->record->subject.article == SP_COUNT ? "Such a person" : "This person";
}

/* How many clauses of the `left` ones the sentence takes: one, two or three. */
static int pick_length(const plan *p, int left) {
    if (left == 1 || chance(p->rng, p->style->single)) return 1;
    return left == 3 && chance(p->rng, p->style->single) ? 3 : 2;
}

static const char *relative_pronoun(const plan *p) {
    return p->record->person ? "who" : "which";
}

/* The first sentence; returns how many clauses it took. */
static int write_opening(plan *p) {
    const clause *c = p->clauses;
    const text_style *s = p->style;
    bool class = is_class(c->relation) && c->objects == 1;
    int shape = (int)sp_rng_below(p->rng, 100), left = p->count - 1;
    int apposition = (int)s->apposition, restriction = apposition + (int)s->restriction;
    int relative = restriction + (int)s->relative;
    write_subject(p);
    if (left > 0 && class && shape < apposition) {
        int more = pick_length(p, left);
        sp_buf_printf(&p->text, ", %s, ", c->rest);
        write_clauses(p, 1, more);
        return 1 + more;
    }
    if (left > 0 && class && !p->plural && shape < restriction) {
        int more = pick_length(p, left);
        sp_buf_printf(&p->text, " %s %s %s ", c->verb, c->rest, p->record->person ? "who" : "that");
        write_clauses(p, 1, more);
        return 1 + more;
    }
    if (left > 0 && shape >= restriction && shape < relative) {
        sp_buf_printf(&p->text, ", %s %s %s, ", relative_pronoun(p), c->verb, c->rest);
        write_clauses(p, 1, 1);
        return 2;
    }
    int taken = pick_length(p, p->count);
    sp_buf_putc(&p->text, ' ');
    write_clauses(p, 0, taken);
    return taken;
}

static char *write_text(const sp_record *record, const text_style *style, bool marked,
                        sp_rng *rng) {
    plan p = {.record = record, .style = style, .rng = rng, .marked = marked};
    p.plural = record->subject.article == SP_COUNT && chance(rng, style->plural);
    int order[SP_MAX_FACTS];
    p.count = order_relations(&p, order);
    for (int i = 0; i < p.count; i++) p.clauses[i] = make_clause(&p, (sp_relation)order[i]);
    int next = write_opening(&p);
    while (next < p.count) {
        int taken = pick_length(&p, p.count - next);
        sp_buf_printf(&p.text, ". %s ", pronoun(&p));
        write_clauses(&p, next, taken);
        next += taken;
    }
    sp_buf_putc(&p.text, '.');
    for (int i = 0; i < p.count; i++) free(p.clauses[i].rest);
    return sp_buf_take(&p.text);
}

static bool contains(const sp_strings *texts, size_t from, const char *text) {
    for (size_t i = from; i < texts->len; i++)
        if (strcmp(texts->data[i], text) == 0) return true;
    return false;
}

static void write_texts(const sp_record *record, bool marked, sp_rng *rng, int wanted,
                        sp_strings *out) {
    enum { TRIES = 64 }; /* a single fact has three wordings; 64 draws miss one in 10,000 */
    size_t start = out->len;
    for (int try = 0; try < TRIES && (int)(out->len - start) < wanted; try++) {
        char *text = write_text(record, out->len > start ? &varied : &plain, marked, rng);
        if (contains(out, start, text))
            free(text);
        else
            sp_strings_take(out, text);
    }
}

void sp_realise(const sp_record *record, sp_rng *rng, int wanted, sp_strings *out) {
    write_texts(record, false, rng, wanted, out);
}

void sp_realise_marked(const sp_record *record, sp_rng *rng, int wanted, sp_strings *out) {
    write_texts(record, true, rng, wanted, out);
}

char *sp_record_input(const sp_record *record) {
    sp_buf out = {0};
    for (int i = 0; i < record->count; i++)
        sp_linearise(&out, record->subject.text, sp_relation_name(record->facts[i].relation),
                     record->facts[i].object.text);
    return sp_buf_take(&out);
}
