/* The frame that an encoder's tokenizer puts around a text, [CLS] text [SEP] or <s> text </s>, as a
 * part of the template, and the row that a class head reads.
 *
 *   [CLS] template and input [SEP]           linear: reads [CLS]
 *   [CLS] template and input [MASK] [SEP]    verbalizer: reads [MASK], which stands where the
 * answer would (PET, Schick & Schuetze 2021, section 3)
 *
 * Virtual tokens that a template has in front of the input and nowhere else, and no other word,
 * stand before [CLS], as in PEFT's prompt tuning and P-tuning; else the template is inside the
 * frame, as in the code of P-Tuning. [CLS] is read where it stands, behind the virtual tokens (as
 * in the code of P-tuning v2). */
#ifndef SP_TUNING_FRAME_H
#define SP_TUNING_FRAME_H

#include "text/tokenizer.h"
#include "tuning/class_head.h"
#include "tuning/template.h"

typedef struct sp_frame {
    sp_ints before, after; /* the special tokens around a text */
    int mask;              /* -1: there is none */
} sp_frame;

/* Asks the tokenizer. SP_ERR_SPEC if it puts nothing before a text: it is no encoder's. Release
 * with sp_frame_free; {0} after an error. */
sp_status sp_frame_open(const sp_tokenizer *tokenizer, sp_frame *out);
void sp_frame_free(sp_frame *frame);

/* Puts the frame around a template that has none, for a class head of the form `output`.
 * SP_ERR_SPEC for a verbalizer without mask token; the template is then unchanged. */
sp_status sp_frame_place(const sp_frame *frame, sp_output output, sp_template *template);

#endif
