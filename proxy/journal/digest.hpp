#pragma once
// SHA-256, as the chain of a journal uses it: one context kept for many digests,
// because setting one up costs more than hashing a step.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_st;
struct evp_md_ctx_st;

namespace turnout::journal {

using digest = std::array<unsigned char, 32>;

/// One thread at a time. Throws std::runtime_error when OpenSSL fails.
class sha256 {
 public:
  sha256();
  sha256(const sha256&) = delete;
  sha256& operator=(const sha256&) = delete;
  ~sha256();

  /// Drops what was added and not finished.
  sha256& begin();
  sha256& add(std::string_view bytes);
  sha256& add(const digest& value);
  /// Eight bytes, the highest first.
  sha256& add_number(std::int64_t value);
  /// Eight bytes for each length, of at most eight texts. With the lengths first, no two
  /// lists of texts give the same bytes.
  sha256& add_lengths(std::initializer_list<std::string_view> texts);
  digest finish();

 private:
  evp_md_st* algorithm_;
  evp_md_ctx_st* context_;
};

/// 64 lower-case hexadecimal digits.
std::string to_hex(const digest& value);
/// Of 64 hexadecimal digits, nothing else.
std::optional<digest> parse_digest(std::string_view hex) noexcept;

}  // namespace turnout::journal
