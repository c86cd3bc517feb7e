/* A disk that goes bad and good again: preload it with BAD_DISK_ROOT (a folder) and BAD_DISK_SWITCH (a file) set.
 *
 * The switch holds the number of an error and the calls that fail with it on files below the folder, such as "28 w"
 * (full: no writes), "30 wo" (read-only: no writes, no opening for writing), "5 s" (fsync fails). No switch, no fault.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static int below_root(const char *path) {
    const char *root = getenv("BAD_DISK_ROOT");
    return root && path && !strncmp(path, root, strlen(root));
}

static int is_on(char call) {
    char words[32] = {0};
    const char *name = getenv("BAD_DISK_SWITCH");
    int file = name ? REAL("open", int (*)(const char *, int, ...))(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t size = REAL("read", ssize_t(*)(int, void *, size_t))(file, words, sizeof words - 1);
    close(file);
    char *calls = size > 0 ? strchr(words, ' ') : NULL;
    if (!calls || !strchr(calls, call))
        return 0;
    errno = atoi(words);
    return 1;
}

static int fails(char call, int file) {
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size > 0) {
        path[size] = 0;
        if (below_root(path) && is_on(call))
            return 1;
    }
    errno = before;
    return 0;
}

ssize_t write(int file, const void *data, size_t size) {
    return fails('w', file) ? -1 : REAL("write", ssize_t(*)(int, const void *, size_t))(file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return fails('w', file) ? -1 : REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return fails('w', file) ? -1 : REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(file, data, size, at);
}
int ftruncate(int file, off_t size) { return fails('w', file) ? -1 : REAL("ftruncate", int (*)(int, off_t))(file, size); }
int ftruncate64(int file, off64_t size) { return fails('w', file) ? -1 : REAL("ftruncate64", int (*)(int, off64_t))(file, size); }
int fsync(int file) { return fails('s', file) ? -1 : REAL("fsync", int (*)(int))(file); }
int fdatasync(int file) { return fails('s', file) ? -1 : REAL("fdatasync", int (*)(int))(file); }

#define OPEN(name)                                                                          \
    int name(const char *path, int flags, ...) {                                            \
        va_list rest;                                                                       \
        va_start(rest, flags);                                                              \
        mode_t mode = va_arg(rest, mode_t);                                                 \
        va_end(rest);                                                                       \
        if ((flags & O_ACCMODE) != O_RDONLY && below_root(path) && is_on('o'))              \
            return -1;                                                                      \
        return REAL(#name, int (*)(const char *, int, ...))(path, flags, mode);             \
    }
OPEN(open)
OPEN(open64)
