/* Rules and short lists of exceptions; each list is as long as WordNet's common nouns need. */
#include "data/english.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool sp_ends_with(const char *word, const char *ending) {
    size_t n = strlen(word), m = strlen(ending);
    return n >= m && strcasecmp(word + n - m, ending) == 0;
}

bool sp_in_list(const char *word, const char *const *list) {
    for (; *list; list++)
        if (strcmp(word, *list) == 0) return true;
    return false;
}

const char *sp_last_word(const char *phrase) {
    const char *space = strrchr(phrase, ' ');
    return space ? space + 1 : phrase;
}

static bool starts_with_any(const char *text, const char *const *starts) {
    for (; *starts; starts++)
        if (strncasecmp(text, *starts, strlen(*starts)) == 0) return true;
    return false;
}

/* Letters whose names begin with a vowel sound decide for "MRI", "X-ray" and "LP". */
static bool is_spelled_out(const char *phrase) {
    size_t capitals = strspn(phrase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return (capitals >= 2 && strchr(" -", phrase[capitals]) && capitals <= 4) ||
           (capitals == 1 && strchr(" -", phrase[1]));
}

const char *sp_indefinite(const char *phrase) {
    static const char *const silent_h[] = {"hour",  "honest", "honor",  "honour", "heir",
                                           "herb ", "herbs",  "herbal", NULL};
    static const char *const like_you[] = {
        "unic", "unifi", "uniform", "unify", "unilat", "union", "unique", "unis", "unit", "univ",
        "use",  "usu",   "usab",    "usage", "uter",   "uten",  "util",   "utop", "ubi",  "uran",
        "uret", "urea",  "uri",     "uro",   "eu",     "ew",    "one-",   "one ", "once", "ouija",
        "uke",  "ukul",  "ufo",     "ural",  "uru",    "uv",    NULL};
    if (is_spelled_out(phrase)) return strchr("AEFHILMNORSX", phrase[0]) ? "an" : "a";
    if (strcasecmp(phrase, "herb") == 0 || starts_with_any(phrase, silent_h)) return "an";
    if (strcasecmp(phrase, "one") == 0 || starts_with_any(phrase, like_you)) return "a";
    return phrase[0] && strchr("aeiouAEIOU", phrase[0]) ? "an" : "a";
}

char *sp_with_article(const char *noun, sp_article article) {
    switch (article) {
    case SP_COUNT:
        return sp_format("%s %s", sp_indefinite(noun), noun);
    case SP_THE:
        return sp_format("the %s", noun);
    default:
        return sp_strdup(noun);
    }
}

/* {ending, its plural}. */
static const char *const irregular[][2] = {
    {"woman", "women"},          {"child", "children"},     {"foot", "feet"},
    {"tooth", "teeth"},          {"goose", "geese"},        {"dormouse", "dormice"},
    {"titmouse", "titmice"},     {"knife", "knives"},       {"wife", "wives"},
    {"life", "lives"},           {"leaf", "leaves"},        {"loaf", "loaves"},
    {"half", "halves"},          {"calf", "calves"},        {"shelf", "shelves"},
    {"thief", "thieves"},        {"wolf", "wolves"},        {"sheaf", "sheaves"},
    {"scarf", "scarves"},        {"hoof", "hooves"},        {"potato", "potatoes"},
    {"tomato", "tomatoes"},      {"hero", "heroes"},        {"echo", "echoes"},
    {"torpedo", "torpedoes"},    {"veto", "vetoes"},        {"mosquito", "mosquitoes"},
    {"buffalo", "buffaloes"},    {"cargo", "cargoes"},      {"mango", "mangoes"},
    {"domino", "dominoes"},      {"tornado", "tornadoes"},  {"volcano", "volcanoes"},
    {"phenomenon", "phenomena"}, {"criterion", "criteria"}, {"mitochondrion", "mitochondria"},
    {"bacterium", "bacteria"},   {"vertebra", "vertebrae"}, {"larva", "larvae"},
    {"stimulus", "stimuli"},     {"fungus", "fungi"},       {"nucleus", "nuclei"},
    {"radius", "radii"},         {"alumnus", "alumni"},     {"matrix", "matrices"},
    {"quiz", "quizzes"},         {"passerby", "passersby"}, {"oasis", "oases"},
};
/* Whole words only: their letters also end regular words (box, human, blouse, shelf), or they end
 * as an irregular one does. */
static const char *const irregular_words[][2] = {
    {"man", "men"},
    {"ox", "oxen"},
    {"mouse", "mice"},
    {"louse", "lice"},
    {"mongoose", "mongooses"},
    {"elf", "elves"},
    {"self", "selves"},
    {"die", "dice"},
};
static const char *const unchanged[] = {
    "fish",  "sheep", "deer", "craft", "species", "series", "trout", "salmon", "means", "offspring",
    "swine", "nese",  "lese", "rese",  "grouse",  "bison",  "moose", "shrimp", NULL};
static const char *const regular_man[] = {"human",    "german",   "roman",  "ottoman",
                                          "talisman", "caiman",   "shaman", "brahman",
                                          "norman",   "turkoman", "cayman", NULL};
static const char *const hard_ch[] = {"stomach", "monarch", "patriarch", "matriarch", "epoch",
                                      "eunuch",  "loch",    "tech",      "oligarch",  NULL};

static bool ends_with_any(const char *word, const char *const *list) {
    for (; *list; list++)
        if (sp_ends_with(word, *list)) return true;
    return false;
}

static char *swap_ending(const char *word, size_t cut, const char *ending) {
    return sp_format("%.*s%s", (int)(strlen(word) - cut), word, ending);
}

static char *irregular_plural(const char *word) {
    for (size_t i = 0; i < sizeof irregular_words / sizeof *irregular_words; i++)
        if (strcasecmp(word, irregular_words[i][0]) == 0)
            return swap_ending(word, strlen(word) - 1, irregular_words[i][1] + 1);
    for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++) {
        size_t n = strlen(irregular[i][0]);
        if (!sp_ends_with(word, irregular[i][0])) continue;
        if (strlen(word) == n) return swap_ending(word, n - 1, irregular[i][1] + 1);
        return swap_ending(word, n, irregular[i][1]);
    }
    if (sp_ends_with(word, "man") && !ends_with_any(word, regular_man))
        return swap_ending(word, 3, "men");
    return NULL;
}

static char *plural_word(const char *word) {
    size_t n = strlen(word);
    if (n == 0 || ends_with_any(word, unchanged)) return sp_strdup(word);
    char *odd = irregular_plural(word);
    if (odd) return odd;
    if (n > 3 && (sp_ends_with(word, "sis") || sp_ends_with(word, "xis")))
        return swap_ending(word, 2, "es");
    if (ends_with_any(word, hard_ch)) return sp_format("%ss", word);
    if (word[n - 1] == 'y' && n > 1 && !strchr("aeiouAEIOU", word[n - 2]))
        return isupper((unsigned char)word[0]) && !strchr(word, '-') && n < 4
                   ? sp_format("%ss", word)
                   : swap_ending(word, 1, "ies");
    if (strchr("sxz", word[n - 1]) || sp_ends_with(word, "ch") || sp_ends_with(word, "sh"))
        return sp_format("%ses", word);
    return sp_format("%ss", word);
}

/* Where the head word of a compound ends: before " of ", " in ", "-in-", ... or at the end. */
static size_t head_length(const char *noun) {
    static const char *const joints[] = {" of ", " in ", " for ", " to ", " at ", " with ",
                                         " on ", "-in-", "-of-",  "-at-", "-de-", NULL};
    size_t end = strlen(noun);
    for (const char *const *joint = joints; *joint; joint++) {
        const char *at = strstr(noun, *joint);
        if (at && (size_t)(at - noun) < end) end = (size_t)(at - noun);
    }
    return end;
}

char *sp_plural(const char *noun) {
    size_t end = head_length(noun);
    char *head = sp_strndup(noun, end);
    size_t start = (size_t)(sp_last_word(head) - head);
    char *word = plural_word(head + start);
    char *out = sp_format("%.*s%s%s", (int)start, head, word, noun + end);
    free(word), free(head);
    return out;
}

bool sp_is_plural(const char *noun) {
    static const char *const singular[] = {
        "ss",     "us",    "is",     "ics",     "gas",    "lens",     "bias",      "atlas",
        "canvas", "Texas", "ias",    "species", "aos",    "pancreas", "Christmas", "series",
        "James",  "corps", "cosmos", "chess",   "pathos", "ethos",    NULL};
    static const char *const others[] = {"people", "police", "cattle", "men",  "women", "children",
                                         "teeth",  "feet",   "geese",  "mice", "lice",  NULL};
    char *head = sp_strndup(noun, head_length(noun));
    const char *word = sp_last_word(head);
    bool plural = sp_in_list(word, others) ||
                  (strlen(word) > 2 && sp_ends_with(word, "s") && !ends_with_any(word, singular));
    free(head);
    return plural;
}

char *sp_join_list(const sp_strings *items) {
    sp_buf out = {0};
    for (size_t i = 0; i < items->len; i++) {
        if (i > 0) sp_buf_puts(&out, i + 1 == items->len ? " and " : ", ");
        sp_buf_puts(&out, items->data[i]);
    }
    return sp_buf_take(&out);
}
