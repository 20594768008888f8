#include "core/host.h"

#include <string.h>
#include <sys/utsname.h>

const char *sp_host(void) {
    static struct utsname own;
    if (*own.nodename) return own.nodename;
    if (uname(&own) || !*own.nodename) strcpy(own.nodename, "localhost");
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    for (char *c = own.nodename; *c; c++)
        if (!strchr(plain, *c)) *c = '-';
    return own.nodename;
}
