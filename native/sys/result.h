#pragma once
#include <errno.h>

#include <utility>

namespace netloom {

// A refused system call. The strings are literals, so a Failure can be copied between processes of one image.
struct Failure {
  int error = 0;                  // positive errno, 0 = none
  const char* syscall = nullptr;  // "ioctl"
  const char* request = nullptr;  // "TUNSETIFF", or null

  explicit operator bool() const { return error != 0; }

  static Failure last(const char* syscall, const char* request = nullptr) { return {errno, syscall, request}; }
};

// A value, or the system call that refused it.
template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Failure failure) : failure_(failure) {}

  bool ok() const { return !failure_; }
  const Failure& failure() const { return failure_; }
  T& value() { return value_; }

 private:
  T value_{};
  Failure failure_;
};

}  // namespace netloom
