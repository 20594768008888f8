/* The name of this machine. */
#ifndef SP_CORE_HOST_H
#define SP_CORE_HOST_H

/* As the kernel tells it; what does not suit the name of a file is a '-'. */
const char *sp_host(void);

#endif
