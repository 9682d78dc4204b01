#pragma once
// Memory that carried card data is overwritten before it is given back, also
// when a container grows.
#include <cstddef>
#include <memory>
#include <vector>

#include "payments/card.hpp"

namespace turnout::api {

template <class T>
struct wiping_allocator {
  using value_type = T;
  wiping_allocator() = default;
  template <class U>
  wiping_allocator(const wiping_allocator<U>&) noexcept {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    payments::secure_wipe(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  friend bool operator==(const wiping_allocator&, const wiping_allocator&) noexcept { return true; }
};

using secret_buffer = std::vector<char, wiping_allocator<char>>;

}  // namespace turnout::api
