/* Test double: lets libcamera's virtual camera allocate buffers on a kernel without /dev/udmabuf and dma-heaps.
 * Loaded before libcamera (LD_PRELOAD): opening /dev/udmabuf gives a memfd, UDMABUF_CREATE a copy of the caller's.
 * And memory begins as zeros: the virtual camera of libcamera 0.4 never says whether a frame is good (0), and what lay
 * there before may say that none is, which picamera2 waits for without end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* operator new(unsigned long) of C++ */
void *_Znwm(unsigned long size) {
  void *memory = calloc(1, size ? size : 1);
  if (!memory) abort();
  return memory;
}

static int is_ours(const char *path) { return path && !strcmp(path, "/dev/udmabuf"); }

#define OPEN(name)                                                        \
  int name(const char *path, int flags, ...) {                            \
    static int (*real)(const char *, int, ...);                           \
    if (!real) real = dlsym(RTLD_NEXT, #name);                            \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                         \
    return is_ours(path) ? memfd_create("udmabuf", MFD_CLOEXEC) : real(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                      \
  int name(int folder, const char *path, int flags, ...) {                \
    static int (*real)(int, const char *, int, ...);                      \
    if (!real) real = dlsym(RTLD_NEXT, #name);                            \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                         \
    return is_ours(path) ? memfd_create("udmabuf", MFD_CLOEXEC) : real(folder, path, flags, mode); \
  }
OPENAT(openat)
OPENAT(openat64)

int ioctl(int fd, unsigned long request, ...) {
  static int (*real)(int, unsigned long, ...);
  if (!real) real = dlsym(RTLD_NEXT, "ioctl");
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (request == UDMABUF_CREATE) return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 3);
  if (request == DMA_BUF_SET_NAME_A || request == DMA_BUF_SET_NAME_B || request == DMA_BUF_SET_NAME) return 0;
  int result = real(fd, request, argument);
  if (request == DMA_BUF_IOCTL_SYNC && result < 0 && errno == ENOTTY) return 0;
  return result;
}
