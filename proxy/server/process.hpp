#pragma once
// What the process asks of the operating system before it takes a payment.
#include <cstddef>

namespace turnout::server {

/// No core dumps and no debugger of another user: the memory holds card
/// numbers. Writing to a closed socket is an error value, not a signal.
void harden_process() noexcept;

/// Raises the limit of open files as far as allowed; returns it.
std::size_t raise_file_limit() noexcept;

}  // namespace turnout::server
