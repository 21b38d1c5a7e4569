#pragma once
#include <stdio.h>
#include <stdlib.h>

// A test is a function; a failed check prints where and marks the running test, which goes on.
struct Test {
  const char* name;
  void (*run)();
  Test* next;
  static Test*& first() {
    static Test* list = nullptr;
    return list;
  }
  static bool& failing() {
    static bool failed = false;
    return failed;
  }
  static const char*& skipped() {
    static const char* reason = nullptr;
    return reason;
  }
  Test(const char* name, void (*run)()) : name(name), run(run), next(first()) { first() = this; }
};

#define TEST(function, name)                 \
  static void function();                    \
  static Test function##_entry{name, function}; \
  static void function()

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
      Test::failing() = true;                                                   \
    }                                                                           \
  } while (0)

#define SKIP(reason)            \
  do {                          \
    Test::skipped() = (reason); \
    return;                     \
  } while (0)
