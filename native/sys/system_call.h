#pragma once
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace netloom {

// read, write and their vectored kin for loops that make one call per frame: a result, or negative errno.
//
// Kernels that guard against speculation leave the processor's return stack empty, so each `ret` just after a system
// call is mispredicted. In a loop around libc's wrappers that is a tenth of what reading a frame costs; the
// instruction itself, inlined, is followed by none.
#if defined(__x86_64__)
inline ssize_t system_call(long number, int fd, const void* memory, size_t size) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(fd), "S"(memory), "d"(size) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline ssize_t system_call(long number, int fd, const void* memory, size_t size) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = fd;
  register const void* x1 asm("x1") = memory;
  register size_t x2 asm("x2") = size;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#else
inline ssize_t system_call(long number, int fd, const void* memory, size_t size) {
  long result = syscall(number, fd, memory, size);
  return result < 0 ? -errno : result;
}
#endif

inline ssize_t call_read(int fd, void* memory, size_t size) { return system_call(SYS_read, fd, memory, size); }
inline ssize_t call_write(int fd, const void* memory, size_t size) { return system_call(SYS_write, fd, memory, size); }
inline ssize_t call_writev(int fd, const iovec* parts, int count) {
  return system_call(SYS_writev, fd, parts, static_cast<size_t>(count));
}

}  // namespace netloom
