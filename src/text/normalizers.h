/* The kinds of normalizers that normalizer.c lists; a new kind adds its line here and there. */
#ifndef SP_TEXT_NORMALIZERS_H
#define SP_TEXT_NORMALIZERS_H

#include "text/normalizer.h"

extern const sp_normalizer_kind sp_normalizer_nfc;

#endif
