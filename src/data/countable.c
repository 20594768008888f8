/* The nearest ancestor that is listed decides; else the gloss ("a small bird ..." is counted,
 * "frozen water ..." is not); else the ending and the category. */
#include "data/countable.h"

#include <ctype.h>
#include <string.h>

enum { MAX_DEPTH = 20 };

static const char *const counted[] = {"edible fruit",
                                      "vegetable",
                                      "cake",
                                      "cookie",
                                      "sandwich",
                                      "meal",
                                      "pie",
                                      "sausage",
                                      "roll",
                                      "pastry",
                                      "pancake",
                                      "nut",
                                      "edible nut",
                                      "candy bar",
                                      "mixed drink",
                                      "cocktail",
                                      "organism",
                                      "person",
                                      "animal",
                                      "plant",
                                      "body part",
                                      "organ",
                                      "bone",
                                      "cell",
                                      "structure",
                                      "instrumentality",
                                      "container",
                                      "device",
                                      "vehicle",
                                      "location",
                                      "region",
                                      "garment",
                                      "facility",
                                      "document",
                                      "word",
                                      "sentence",
                                      "book",
                                      "gem",
                                      "weapon",

                                      "unit of measurement",
                                      "monetary unit",
                                      "time period",
                                      "time unit",
                                      "geological formation",
                                      "body of water",
                                      "celestial body",
                                      "letter",
                                      "number",
                                      "symbol",
                                      "day",
                                      "ceremony",
                                      "course",
                                      "crime",
                                      "assault",
                                      "journey",
                                      "sporting event",
                                      "dish",
                                      "soup",
                                      "salad",
                                      "vascular plant",
                                      NULL};
static const char *const uncounted[] = {"substance",
                                        "material",
                                        "food",
                                        "foodstuff",
                                        "fabric",
                                        "drug",
                                        "feeling",
                                        "sport",
                                        "athletic game",
                                        "science",
                                        "discipline",
                                        "illness",
                                        "disease",
                                        "music",
                                        "body substance",
                                        "money",
                                        "wood",
                                        "beverage",
                                        "chemical element",
                                        "alcohol",
                                        "meat",
                                        "seasoning",
                                        "dairy product",
                                        "flavorer",
                                        "cereal",
                                        "grain",
                                        "compound",
                                        "fluid",
                                        "language",
                                        "religion",
                                        "condiment",
                                        "spice",
                                        "herb",
                                        "sauce",
                                        "cheese",
                                        "bread",
                                        "pasta",
                                        "rock",
                                        "mineral",
                                        "metal",
                                        "fuel",
                                        "paper",
                                        "ink",
                                        "soil",
                                        "weather",
                                        "energy",
                                        "radiation",
                                        "card game",
                                        "social science",
                                        "natural science",
                                        "tissue",
                                        "bodily fluid",
                                        "liquid body substance",
                                        "state of matter",
                                        "theology",
                                        "dance music",
                                        "board game",
                                        NULL};

/* Places and groups whose proper names take "the". */
static const char *const the_names[] = {
    "River",        "Netherlands", "Alps",        "Andes",          "Balkans",
    "Himalayas",    "Philippines", "Pyrenees",    "Apennines",      "Rockies",
    "Bahamas",      "Maldives",    "Carpathians", "Urals",          "Adirondacks",
    "Appalachians", "Hebrides",    "Cyclades",    "Seychelles",     "Ozarks",
    "Catskills",    "Dardanelles", "Dolomites",   "Islands",        "Mountains",
    "States",       "Lakes",       "Nations",     "Indies",         "Keys",
    "Plains",       "Highlands",   "Hills",       "Isles",          "Forces",
    "Provinces",    "Emirates",    "East",        "Crescent",       "Hemisphere",
    "Territory",    "Sea",         "Ocean",       "Desert",         "Canal",
    "Strait",       "Peninsula",   "Empire",      "Republic",       "Kingdom",
    "Union",        "Channel",     "Basin",       "Plateau",        "Age",
    "War",          "Party",       "Church",      "Revolution",     "Coast",
    "Movement",     "Dynasty",     "Bank",        "Army",           "Navy",
    "Department",   "Service",     "Bureau",      "Agency",         "Commission",
    "Era",          "Renaissance", "Gulf",        "System",         "Current",
    "Stream",       "Way",         "League",      "Organization",   "Court",
    "Commonwealth", "Association", "Senate",      "Crusade",        "Depression",
    "Reformation",  "Galaxy",      "Society",     "Administration", "Rhine",
    "Bible",        "Koran",       "Crown",       "Zone",           NULL};
/* Classes of places all of whose members take "the". */
static const char *const the_classes[] = {
    "river", "sea",    "ocean", "desert", "canal", "channel", "geological period",
    "war",   "strait", NULL};

/* -1, SP_COUNT or SP_MASS. */
static int decide_by_ancestor(const sp_wordnet *wordnet, int index) {
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        const sp_noun *noun = &wordnet->nouns[index];
        if (depth > 0 && sp_in_list(noun->names[0], counted)) return SP_COUNT;
        if (depth > 0 && sp_in_list(noun->names[0], uncounted)) return SP_MASS;
        int parent = -1;
        for (int i = 0; i < noun->link_count && parent < 0; i++)
            if (noun->links[i].relation == SP_KIND_OF) parent = noun->links[i].target;
        if (parent < 0) return -1;
        index = parent;
    }
    return -1;
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* Glosses open with a noun phrase for the noun itself, sometimes after "(chemistry) ". */
static int decide_by_gloss(const char *gloss) {
    gloss += strspn(gloss, " ");
    if (*gloss == '(') {
        const char *end = strchr(gloss, ')');
        gloss = end ? end + 1 : gloss;
        gloss += strspn(gloss, " ");
    }
    static const char *const one[] = {"a ",       "an ",   "any ",    "one ",
                                      "someone ", "each ", "either ", "(usually plural)"};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (starts_with(gloss, one[i])) return SP_COUNT;
    if (starts_with(gloss, "the ")) return -1;
    return SP_MASS;
}

static const char *const strong_endings[] = {"ness",  "ism",   "ics",   "ity",   "ography",
                                             "ology", "ing",   "itis",  "cracy", "osis",
                                             "uria",  "metry", "archy", "emia",  NULL};
static const char *const weak_endings[] = {"ship", "hood", "ance",  "ence", "ancy", "ency",
                                           "ware", "age",  "ation", "ment", NULL};

static bool has_ending(const char *name, const char *const *endings) {
    for (; *endings; endings++)
        if (sp_ends_with(name, *endings)) return true;
    return false;
}

static bool is_abstract(const char *category) {
    static const char *const abstract[] = {
        "act",           "attribute",  "state",     "feeling", "cognition", "process", "phenomenon",
        "communication", "possession", "substance", "food",    "relation",  NULL};
    return sp_in_list(category, abstract);
}

static bool is_instance_of(const sp_wordnet *wordnet, const sp_noun *noun,
                           const char *const *classes) {
    for (int i = 0; i < noun->link_count; i++) {
        if (noun->links[i].relation != SP_INSTANCE_OF) continue;
        const sp_noun *class = &wordnet->nouns[noun->links[i].target];
        if (!classes || sp_in_list(class->names[0], classes)) return true;
    }
    return false;
}

static sp_article article_of_name(const sp_wordnet *wordnet, const sp_noun *noun,
                                  const char *name) {
    if (starts_with(name, "Lake ") || starts_with(name, "Mount ")) return SP_NAME;
    if (sp_in_list(sp_last_word(name), the_names) || is_instance_of(wordnet, noun, the_classes) ||
        starts_with(name, "Battle of ") || starts_with(name, "Gulf of ") ||
        starts_with(name, "Bay of ") || starts_with(name, "United "))
        return SP_THE;
    return SP_NAME;
}

/* Capitalised, but a kind and not an instance: "a Swiss canton", "the American Party", "Hamas". */
static sp_article article_of_kind(const sp_wordnet *wordnet, const sp_noun *noun, const char *name,
                                  int by_gloss) {
    sp_article article = article_of_name(wordnet, noun, name);
    bool ends_small = islower((unsigned char)sp_last_word(name)[0]);
    return article == SP_NAME && by_gloss == SP_COUNT && ends_small ? SP_COUNT : article;
}

sp_article sp_article_of(const sp_wordnet *wordnet, int index, const char *name) {
    static const char *const living[] = {"animal", "plant", "person", "artifact",
                                         "body",   "Tops",  "shape",  NULL};
    const sp_noun *noun = &wordnet->nouns[index];
    const char *category = sp_lexfile_name(noun->lexfile);
    bool capital = isupper((unsigned char)name[0]);
    if (is_instance_of(wordnet, noun, NULL)) return article_of_name(wordnet, noun, name);
    int by_gloss = decide_by_gloss(noun->gloss);
    if (is_abstract(category)) {
        int by_ancestor = decide_by_ancestor(wordnet, index);
        if (capital && by_ancestor == SP_MASS) return SP_NAME;
        if (capital) return article_of_kind(wordnet, noun, name, by_gloss);
        if (by_ancestor >= 0) return (sp_article)by_ancestor;
        if (by_gloss == SP_COUNT) return has_ending(name, strong_endings) ? SP_MASS : SP_COUNT;
        bool mass = by_gloss == SP_MASS || has_ending(name, strong_endings) ||
                    has_ending(name, weak_endings);
        return mass ? SP_MASS : SP_COUNT;
    }
    if (sp_in_list(category, living)) {
        int by_ancestor = decide_by_ancestor(wordnet, index);
        bool mass = by_ancestor == SP_MASS && by_gloss != SP_COUNT;
        return mass && (strcmp(category, "artifact") == 0 || strcmp(category, "body") == 0)
                   ? SP_MASS
                   : SP_COUNT;
    }
    if (capital) return article_of_kind(wordnet, noun, name, by_gloss);
    return SP_COUNT;
}
