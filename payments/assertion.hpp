#pragma once
// Assertions for our own mistakes, kept in release builds: a payment proxy that
// has lost an invariant must stop before it tells a gateway anything else.
// Errors that come from outside are values, never assertions.
#include <cstdio>
#include <cstdlib>

namespace turnout::payments {

[[noreturn, gnu::cold, gnu::noinline]] inline void assertion_failed(const char* condition, const char* file,
                                                                    int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace turnout::payments

/// Evaluates `condition` once; when it is false, says where on stderr and aborts.
/// The text of the condition is printed, never the values in it.
#define TURNOUT_ASSERT(...) \
  ((__VA_ARGS__) ? static_cast<void>(0) : ::turnout::payments::assertion_failed(#__VA_ARGS__, __FILE__, __LINE__))
