/* Learning-rate schedules with linear warm-up (Hugging Face's definitions). */
#ifndef SP_TRAINING_SCHEDULE_H
#define SP_TRAINING_SCHEDULE_H

#include "training/options.h"

/* The learning rate of step `step` (from 0) out of `steps`. */
double sp_learning_rate(const sp_train_options *options, long step, long steps);

#endif
