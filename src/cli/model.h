/* The parts of `softprompt model`, each with its own options; argv[0] is "softprompt model PART".
 */
#ifndef SP_CLI_MODEL_H
#define SP_CLI_MODEL_H

#include "core/status.h"

sp_status sp_model_show(int argc, char **argv);
sp_status sp_model_list(int argc, char **argv);
sp_status sp_model_fetch_command(int argc, char **argv);

#endif
