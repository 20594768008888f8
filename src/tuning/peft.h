/* Adapters in the layout of the PEFT library (0.21): a folder with adapter_config.json and
 * adapter_model.safetensors. docs/formats.md tells what PEFT can hold of what a run leaves. */
#ifndef SP_TUNING_PEFT_H
#define SP_TUNING_PEFT_H

#include "tuning/class_head.h"
#include "tuning/soft_prompt.h"

/* What is exported. */
typedef struct sp_peft_source {
    const sp_model *model;
    const sp_soft_prompt *prompt;
    const sp_class_head *head; /* output text: none */
    const char *method;        /* as in the registry */
    const char *place;         /* the run file, for messages */
    const char *base;          /* base_model_name_or_path */
} sp_peft_source;

/* Writes a folder that PeftModel.from_pretrained(base model, folder) gives the same logits with.
 * The folder appears whole or not at all; it may exist if it is empty. `force`: in an existing
 * folder the adapter's two files are replaced. SP_ERR_SPEC for what PEFT cannot hold; SP_ERR_IO. */
sp_status sp_peft_export(const sp_peft_source *source, const char *folder, bool force);

/* What an adapter's folder lacks. */
typedef struct sp_peft_extras {
    const sp_tokenizer *tokenizer; /* the model's; NULL will do for a decoder */
    const char *separator;         /* text between input and target */
    const sp_strings *labels;      /* names for a class head; none: LABEL_0, LABEL_1, ... */
} sp_peft_extras;

/* What an import found. Release with sp_peft_adapter_free. */
typedef struct sp_peft_adapter {
    const char *method; /* the method of the registry that leaves such a thing */
    sp_soft_prompt prompt;
    sp_class_head head; /* output text: none */
} sp_peft_adapter;

/* Reads an adapter for `model`. Everything is checked before memory is taken for it:
 * SP_ERR_MISSING; SP_ERR_FORMAT for a broken file, a tensor that is missing, unknown, not finite or
 * of another shape, or a setting that this program does not have; SP_ERR_SPEC for labels that do
 * not fit. `out` is {0} after an error. */
sp_status sp_peft_import(const char *folder, const sp_model *model, const sp_peft_extras *extras,
                         sp_peft_adapter *out);
void sp_peft_adapter_free(sp_peft_adapter *adapter);

#endif
