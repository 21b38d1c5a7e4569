#include "check.h"

// Prints TAP and ends with 1 if a test failed.
int main() {
  int number = 0, failed = 0;
  for (Test* test = Test::first(); test; test = test->next) {
    Test::failing() = false;
    Test::skipped() = nullptr;
    test->run();
    number++;
    if (Test::failing()) failed++;
    printf("%s %d - %s%s%s\n", Test::failing() ? "not ok" : "ok", number, test->name,
           Test::skipped() ? " # SKIP " : "", Test::skipped() ? Test::skipped() : "");
  }
  printf("1..%d\n", number);
  return failed ? 1 : 0;
}
