#pragma once
// Randomness from OpenSSL's generator, fetched in blocks: identifiers must not
// be guessed, and a call per 64 bits would cost more than the bits.
#include <array>
#include <cstdint>

#include "payments/random_source.hpp"

namespace turnout::server {

/// One per worker thread.
class system_random final : public payments::random_source {
 public:
  std::uint64_t next() override;

 private:
  static constexpr std::size_t block_words = 512;  ///< 4 KiB
  std::array<std::uint64_t, block_words> block_{};
  std::size_t used_ = block_words;
};

}  // namespace turnout::server
