#include "text/post_processor.h"
#include "text/json_part.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8, MAX_PARTS = 256 };

static void add_part(sp_post_template *template, int text, int id, int type) {
    template->parts = sp_realloc(template->parts, template->count + 1, sizeof *template->parts);
    template->parts[template->count++] = (sp_template_part){text, id, type};
}

static void clear(sp_post_template *template) {
    free(template->parts);
    *template = (sp_post_template){0};
}

void sp_post_processor_free(sp_post_processor *processor) {
    clear(&processor->single);
    clear(&processor->pair);
}

static sp_status read_id(const json_t *value, int size, int *out) {
    json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
    if (id < 0 || id >= size)
        return sp_fail(SP_ERR_FORMAT, "an id of the post-processor is not a number from 0 to %d",
                       size - 1);
    *out = (int)id;
    return SP_OK;
}

/* ["[SEP]", 102] */
static sp_status read_named_id(const json_t *part, const char *name, int size, int *out) {
    return read_id(json_array_get(json_object_get(part, name), 1), size, out);
}

/* "cls" A "sep", as both templates begin. */
static sp_status read_first_text(sp_post_processor *p, const json_t *part, int size, int *sep) {
    int cls = 0;
    sp_status st;
    if ((st = read_named_id(part, "cls", size, &cls))) return st;
    if ((st = read_named_id(part, "sep", size, sep))) return st;
    for (int pair = 0; pair < 2; pair++) {
        sp_post_template *template = pair ? &p->pair : &p->single;
        add_part(template, -1, cls, 0);
        add_part(template, 0, 0, 0);
        add_part(template, -1, *sep, 0);
    }
    return SP_OK;
}

/* [CLS] A [SEP] and [CLS] A [SEP] B [SEP] (Devlin et al. 2019). */
static sp_status read_bert(sp_post_processor *p, const json_t *part, int size) {
    int sep = 0;
    sp_status st = read_first_text(p, part, size, &sep);
    if (st) return st;
    add_part(&p->pair, 1, 0, 1);
    add_part(&p->pair, -1, sep, 1);
    return SP_OK;
}

/* <s> A </s> and <s> A </s></s> B </s>, all of type 0 (Liu et al. 2019). */
static sp_status read_roberta(sp_post_processor *p, const json_t *part, int size) {
    int sep = 0;
    sp_status st = read_first_text(p, part, size, &sep);
    if (st) return st;
    add_part(&p->pair, -1, sep, 0);
    add_part(&p->pair, 1, 0, 0);
    add_part(&p->pair, -1, sep, 0);
    return SP_OK;
}

/* The ids that a template's special token stands for. */
static sp_status add_special(sp_post_template *template, const json_t *specials, const char *name,
                             int type, int size) {
    const json_t *ids = json_object_get(json_object_get(specials, name), "ids");
    size_t i;
    json_t *value;
    if (!json_array_size(ids))
        return sp_fail(SP_ERR_FORMAT, "the post-processor has no ids for '%.40s'", name);
    json_array_foreach(ids, i, value) {
        int id = 0;
        sp_status st = read_id(value, size, &id);
        if (st) return st;
        if (template->count == MAX_PARTS)
            return sp_fail(SP_ERR_FORMAT, "a template of more than %d parts", MAX_PARTS);
        add_part(template, -1, id, type);
    }
    return SP_OK;
}

static sp_status add_template_part(sp_post_template *template, const json_t *entry,
                                   const json_t *specials, int size) {
    const json_t *text = json_object_get(entry, "Sequence"),
                 *special = json_object_get(entry, "SpecialToken");
    const char *name = sp_part_text(text ? text : special, "id");
    const json_t *type = json_object_get(text ? text : special, "type_id");
    if (!name || (type && (json_integer_value(type) < 0 || json_integer_value(type) > 255)))
        return sp_fail(SP_ERR_FORMAT, "a part of a template has no id, or a type above 255");
    int type_id = (int)json_integer_value(type);
    if (special) return add_special(template, specials, name, type_id, size);
    bool second = strcmp(name, "B") == 0;
    if (template->count == MAX_PARTS || (!second && strcmp(name, "A") != 0))
        return sp_fail(SP_ERR_FORMAT, "a sequence of a template is not A or B");
    add_part(template, second, 0, type_id);
    return SP_OK;
}

static sp_status read_template(sp_post_template *template, const json_t *parts,
                               const json_t *specials, int size) {
    size_t i;
    json_t *entry;
    json_array_foreach(parts, i, entry) {
        sp_status st = add_template_part(template, entry, specials, size);
        if (st) return st;
    }
    return SP_OK;
}

static sp_status read_templates(sp_post_processor *p, const json_t *part, int size) {
    const json_t *specials = json_object_get(part, "special_tokens");
    sp_status st = read_template(&p->single, json_object_get(part, "single"), specials, size);
    return st ? st : read_template(&p->pair, json_object_get(part, "pair"), specials, size);
}

static sp_status read_part(sp_post_processor *p, const json_t *part, int size, int depth);

static sp_status read_sequence(sp_post_processor *p, const json_t *part, int size, int depth) {
    if (depth == MAX_DEPTH)
        return sp_fail(SP_ERR_FORMAT, "post-processors are nested deeper than %d", MAX_DEPTH);
    size_t i;
    json_t *inner;
    json_array_foreach(json_object_get(part, "processors"), i, inner) {
        sp_status st = read_part(p, inner, size, depth + 1);
        if (st) return st;
    }
    return SP_OK;
}

static sp_status read_part(sp_post_processor *p, const json_t *part, int size, int depth) {
    if (sp_part_is(part, "ByteLevel")) return SP_OK;
    if (sp_part_is(part, "Sequence")) return read_sequence(p, part, size, depth);
    if (p->single.count || p->pair.count)
        return sp_fail(SP_ERR_FORMAT, "more than one post-processor puts tokens");
    if (sp_part_is(part, "TemplateProcessing")) return read_templates(p, part, size);
    if (sp_part_is(part, "BertProcessing")) return read_bert(p, part, size);
    if (sp_part_is(part, "RobertaProcessing")) return read_roberta(p, part, size);
    return sp_fail(SP_ERR_FORMAT, "post-processor %.40s is not supported", sp_part_type(part));
}

sp_status sp_post_processor_read(sp_post_processor *p, const json_t *part, int size) {
    sp_status st = sp_part_absent(part) ? SP_OK : read_part(p, part, size, 0);
    if (st) return st;
    if (!p->single.count) add_part(&p->single, 0, 0, 0);
    if (p->pair.count) return SP_OK;
    add_part(&p->pair, 0, 0, 0);
    add_part(&p->pair, 1, 0, 1);
    return SP_OK;
}

void sp_post_process(const sp_post_processor *processor, const sp_ints *const texts[2],
                     sp_ints *ids, sp_ints *types) {
    const sp_post_template *template = texts[1] ? &processor->pair : &processor->single;
    for (size_t i = 0; i < template->count; i++) {
        const sp_template_part *part = &template->parts[i];
        size_t start = ids->len;
        if (part->text < 0)
            sp_ints_push(ids, part->id);
        else if (texts[part->text])
            sp_ints_append(ids, texts[part->text]->data, texts[part->text]->len);
        for (size_t k = start; types && k < ids->len; k++) sp_ints_push(types, part->type);
    }
}
