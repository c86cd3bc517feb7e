/* Records what a process does to the files of one folder: preload it with RECORD_ROOT and RECORD_LOG set.
 *
 * Each record is: kind (1 byte: w write, t truncate, s sync, u unlink, r rename), inode (8), offset or new size (8),
 * length of the name (4), length of the data (4), name, data; numbers in the machine's own order. A record is
 * appended with one writev after the call it describes has succeeded, so that several processes can share the log.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct head {
    uint64_t inode, offset;
    uint32_t name, data;
} __attribute__((packed));

static const char *root(void) { return getenv("RECORD_ROOT"); }

static int is_ours(const char *path) {
    const char *folder = root();
    return folder && strncmp(path, folder, strlen(folder)) == 0 && !strstr(path, "-shm") && !strstr(path, " (deleted)");
}

static int log_file(void) {
    static int file = -1;
    if (file < 0)
        file = open(getenv("RECORD_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return file;
}

static void record(char kind, uint64_t inode, uint64_t offset, const char *name, const void *data, size_t size) {
    struct head head = {inode, offset, (uint32_t)strlen(name), (uint32_t)size};
    struct iovec parts[] = {{&kind, 1}, {&head, sizeof head}, {(void *)name, head.name}, {(void *)data, size}};
    if (writev(log_file(), parts, 4) < 0)
        abort();
}

/* The name of an open file of ours and its inode; 0 if it is none. */
static int find(int file, char *name, uint64_t *inode) {
    char link[64];
    struct stat found;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, name, PATH_MAX - 1);
    if (size < 0)
        return 0;
    name[size] = 0;
    if (!is_ours(name) || fstat(file, &found))
        return 0;
    *inode = found.st_ino;
    return 1;
}

static void record_file(char kind, int file, uint64_t offset, const void *data, size_t size) {
    char name[PATH_MAX];
    uint64_t inode;
    if (find(file, name, &inode))
        record(kind, inode, offset, name, data, size);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static ssize_t do_pwrite(const char *call, int file, const void *data, size_t size, off64_t offset) {
    ssize_t done = REAL(call, ssize_t(*)(int, const void *, size_t, off64_t))(file, data, size, offset);
    if (done > 0)
        record_file('w', file, (uint64_t)offset, data, (size_t)done);
    return done;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) { return do_pwrite("pwrite", file, data, size, offset); }
ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) { return do_pwrite("pwrite64", file, data, size, offset); }

ssize_t write(int file, const void *data, size_t size) {
    off64_t offset = lseek64(file, 0, SEEK_CUR);
    ssize_t done = REAL("write", ssize_t(*)(int, const void *, size_t))(file, data, size);
    if (done > 0 && offset >= 0)
        record_file('w', file, (uint64_t)offset, data, (size_t)done);
    return done;
}

static int do_ftruncate(const char *call, int file, off64_t size) {
    int failed = REAL(call, int (*)(int, off64_t))(file, size);
    if (!failed)
        record_file('t', file, (uint64_t)size, "", 0);
    return failed;
}

int ftruncate(int file, off_t size) { return do_ftruncate("ftruncate", file, size); }
int ftruncate64(int file, off64_t size) { return do_ftruncate("ftruncate64", file, size); }

static int do_sync(const char *call, int file) {
    int failed = REAL(call, int (*)(int))(file);
    if (!failed)
        record_file('s', file, 0, "", 0);
    return failed;
}

int fsync(int file) { return do_sync("fsync", file); }
int fdatasync(int file) { return do_sync("fdatasync", file); }

int unlink(const char *name) {
    int failed = REAL("unlink", int (*)(const char *))(name);
    if (!failed && is_ours(name))
        record('u', 0, 0, name, "", 0);
    return failed;
}

int rename(const char *old, const char *new) {
    int failed = REAL("rename", int (*)(const char *, const char *))(old, new);
    if (!failed && is_ours(new))
        record('r', 0, 0, old, new, strlen(new));
    return failed;
}
