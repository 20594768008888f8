/* The methods that methods.def lists: `extern const sp_method sp_method_NAME;`. */
#ifndef SP_TUNING_METHODS_H
#define SP_TUNING_METHODS_H

#include "tuning/method.h"

#define SP_METHOD(name) extern const sp_method sp_method_##name;
#include "tuning/methods.def"
#undef SP_METHOD

#endif
