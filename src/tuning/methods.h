/* The methods registry.c lists; a new method adds its line here and there. */
#ifndef SP_TUNING_METHODS_H
#define SP_TUNING_METHODS_H

#include "tuning/method.h"

extern const sp_method sp_method_prefix;
extern const sp_method sp_method_p_tuning_v2;
extern const sp_method sp_method_p_tuning;
extern const sp_method sp_method_prompt;
extern const sp_method sp_method_adaption_prompt;
extern const sp_method sp_method_fine_tune;
extern const sp_method sp_method_fine_tune_top;
extern const sp_method sp_method_bitfit;
extern const sp_method sp_method_adapter;
extern const sp_method sp_method_lora;
extern const sp_method sp_method_adalora;
extern const sp_method sp_method_none;

#endif
