/* From the fields of a user's record to an example, whatever the format of the file. */
#ifndef SP_DATA_FIELDS_H
#define SP_DATA_FIELDS_H

#include "data/reader.h"

/* A generation record has input, and target or references; a classification record has label, and
 * text or text_a and text_b; a tagging record has tokens and tags. All may have category and group.
 */
typedef enum sp_field {
    SP_FIELD_INPUT,
    SP_FIELD_TARGET,
    SP_FIELD_REFERENCES,
    SP_FIELD_TEXT,
    SP_FIELD_TEXT_A,
    SP_FIELD_TEXT_B,
    SP_FIELD_LABEL,
    SP_FIELD_TOKENS,
    SP_FIELD_TAGS,
    SP_FIELD_CATEGORY,
    SP_FIELD_GROUP,
    SP_FIELDS
} sp_field;

/* How records become examples. Everything is borrowed from the card. */
typedef struct sp_schema {
    const char *names[SP_FIELDS]; /* what the fields are called in the file */
    sp_set_kind kind;             /* SP_SET_ANY until the first record */
    const char *separator, *pair;
    sp_label_set *labels;
} sp_schema;

/* The card's `fields` over the defaults (each field has its own name), its template and labels. */
sp_status sp_schema_read(const sp_card *card, sp_schema *out);
/* The schema of a file without a card; `labels` is to be open. */
sp_schema sp_schema_default(sp_label_set *labels);

/* Decides what the set is for where the card leaves it open: without target and references,
 * classification if there is a label, else tagging if there are tokens and tags. */
void sp_schema_settle(sp_schema *schema, const bool present[SP_FIELDS]);
/* False for a field that a record of the schema's kind does not have; it is left alone. */
bool sp_schema_uses(const sp_schema *schema, sp_field field);
/* NULL if records with these fields can be whole, else what is missing or too much; the caller's.
 * `what` is "field" or "column". */
char *sp_schema_lack(const sp_schema *schema, const bool present[SP_FIELDS], const char *what);

/* White space: what separates words, and all that an empty text may hold. */
#define SP_BLANKS " \t\r\n"

/* Where a record begins. */
typedef struct sp_place {
    const char *file;
    size_t line;
} sp_place;

/* A record; borrowed. The words of tokens and of tags are separated by white space. */
typedef struct sp_row {
    const char *values[SP_FIELDS]; /* NULL: the record has no such field */
    const sp_strings *references;  /* used if values[SP_FIELD_REFERENCES] is NULL; or NULL */
} sp_row;

/* Appends the row's example. The schema's kind is settled. SP_ERR_FORMAT with "file:line: " for a
 * field that is missing, empty or too much, a group other than seen and unseen, or another number
 * of tags than of tokens; SP_ERR_DATA for a label or tag that the card does not list. */
sp_status sp_add_row(const sp_schema *schema, const sp_row *row, sp_place at, sp_split *out);

/* SP_ERR_FORMAT with "file:line: " for a line with a NUL byte or bytes that are not UTF-8. */
sp_status sp_check_utf8(const char *line, size_t len, sp_place at);

/* Parses a file's text and appends its examples. */
typedef sp_status (*sp_parse_file)(const char *text, size_t len, const char *file,
                                   sp_schema *schema, sp_split *out);

/* What a reader of files does: the paths of splits beside the card, their sha256, `parse`, and the
 * classes of train if the card lists none. */
sp_status sp_load_files(const sp_card *card, const bool wanted[SP_SPLITS],
                        sp_split splits[SP_SPLITS], sp_parse_file parse);

#endif
