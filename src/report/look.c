#include "report/look.h"

#include "tuning/method.h"

#include <stddef.h>
#include <string.h>

/* Points: 1 plus, 2 cross, 3 star; 4/5 square, 6/7 circle, 8/9 and 10/11 triangles, 12/13 diamond,
 * 14/15 pentagon, each open/filled. */
static const struct {
    const char *method;
    sp_look look;
} looks[] = {
    {"fine-tune", {"#D55E00", 11, 1, 0}},       {"ft-top", {"#882255", 10, 2, 0}},
    {"adapter", {"#56B4E9", 15, 1, 0}},         {"lora", {"#332288", 4, 1, 0}},
    {"adalora", {"#7B6FD0", 14, 2, 0}},         {"bitfit", {"#999933", 2, 4, 0}},
    {"prefix", {"#0072B2", 7, 1, 0}},           {"p-tuning-v2", {"#CC79A7", 13, 1, 0}},
    {"p-tuning", {"#009E73", 9, 1, 0}},         {"prompt", {"#E69F00", 5, 1, 0}},
    {"adaption-prompt", {"#44AA99", 12, 2, 0}}, {"none", {"#7F7F7F", 1, 3, 0}},
};
enum { METHODS = sizeof looks / sizeof *looks, DASHES = 5 };

/* For the methods of the registry that have no look of their own, one after the other. */
static const sp_look spare[] = {
    {"#117733", 8, 1, 0}, {"#CC6677", 6, 2, 0}, {"#AA4499", 3, 4, 0},
    {"#661100", 5, 5, 0}, {"#6699CC", 9, 2, 0}, {"#DDCC77", 13, 4, 0},
};
enum { SPARE = sizeof spare / sizeof *spare };

static const sp_look values[] = {
    {"#0072B2", 7, 1, 0}, {"#D55E00", 11, 2, 0}, {"#009E73", 9, 4, 0}, {"#CC79A7", 13, 5, 0},
    {"#E69F00", 5, 1, 0}, {"#56B4E9", 15, 2, 0}, {"#332288", 4, 4, 0}, {"#999933", 12, 5, 0},
};
enum { VALUES = sizeof values / sizeof *values };

/* METHODS if it has none of its own. */
static int find_look(const char *method) {
    int i = 0;
    while (i < METHODS && strcmp(looks[i].method, method) != 0) i++;
    return i;
}

/* Place of a method among those of the registry without a look of their own; their number if the
 * registry does not have it. */
static int find_spare(const char *method) {
    int place = 0;
    for (const sp_method *const *m = sp_methods(); *m; m++) {
        if (find_look((*m)->name) < METHODS) continue;
        if (strcmp((*m)->name, method) == 0) break;
        place++;
    }
    return place;
}

int sp_look_order(const char *method) {
    int i = find_look(method);
    return i < METHODS ? i : METHODS + find_spare(method);
}

/* Where the spare looks are used up, they come again with other dashes. */
static sp_look spare_look(const char *method) {
    if (!sp_method_find(method)) return (sp_look){"#000000", 3, 1, 0};
    int place = find_spare(method);
    sp_look look = spare[place % SPARE];
    look.dash = (look.dash - 1 + place / SPARE) % DASHES + 1;
    return look;
}

sp_look sp_look_of_method(const char *method, int variant) {
    int i = find_look(method);
    sp_look look = i < METHODS ? looks[i].look : spare_look(method);
    look.variant = variant;
    look.dash = (look.dash - 1 + variant) % DASHES + 1;
    if (variant % 2 && look.point > 3) look.point ^= 1;
    return look;
}

sp_look sp_look_of_value(int index) {
    return values[index % VALUES];
}
