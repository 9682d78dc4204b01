// See system_random.hpp.
#include "proxy/server/system_random.hpp"

#include <cstdlib>
#include <utility>

#include <openssl/rand.h>

namespace turnout::server {

std::uint64_t system_random::next() {
  if (used_ == block_words) {
    // Without randomness identifiers could be guessed: stop, do not guess.
    if (RAND_bytes(reinterpret_cast<unsigned char*>(block_.data()), static_cast<int>(sizeof block_)) != 1) std::abort();
    used_ = 0;
  }
  return std::exchange(block_[used_++], 0);
}

}  // namespace turnout::server
