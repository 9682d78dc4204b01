#include "routing/segment.hpp"

namespace turnout::routing {
namespace {

// Bands are in major units, by powers of ten: what a shopper calls small or large.
constexpr std::array<std::string_view, 5> band_names{"0-10", "10-100", "100-1000", "1000-10000", "10000+"};

std::size_t band_of(const payments::money& amount) noexcept {
  std::int64_t bound = 10;
  for (int i = 0; i < amount.unit.exponent(); ++i) bound *= 10;
  std::size_t band = 0;
  while (band + 1 < band_names.size() && amount.minor >= bound) {
    bound *= 10;
    ++band;
  }
  return band;
}

// FNV-1a, 64 bits (Fowler, Noll, Vo; offset and prime as published).
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  // The finaliser of splitmix64 (Steele, Lea, Flood 2014).
  std::uint64_t z = a * 0x9e3779b97f4a7c15u + b;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return z == 0 ? 1 : z;
}

segment_keys keys_of(const request& payment) noexcept {
  const std::string_view unit = payment.amount.unit.code();
  segment_keys keys{};
  const auto set = [&keys](feature which, std::uint64_t key) { keys[static_cast<std::size_t>(which)] = key; };
  const auto key_of = [](feature which, std::string_view value) {
    return value.empty() ? 0 : mix(static_cast<std::uint64_t>(which) + 1, hash_of(value));
  };
  const std::uint64_t issuer = key_of(feature::issuer, payment.bin);
  set(feature::method, key_of(feature::method, payment.method));
  set(feature::currency, key_of(feature::currency, unit));
  set(feature::country, key_of(feature::country, payment.country));
  set(feature::amount, mix(key_of(feature::amount, unit), band_of(payment.amount)));
  set(feature::issuer, issuer);
  set(feature::merchant, key_of(feature::merchant, payment.merchant));
  if (payment.brand != payments::card_brand::unknown) {
    const auto brand = static_cast<std::uint64_t>(payment.brand);
    set(feature::brand, mix(static_cast<std::uint64_t>(feature::brand) + 1, brand));
    if (issuer != 0) set(feature::issuer_brand, mix(issuer, brand));
  }
  return keys;
}

std::string describe_segment(const request& payment) {
  const auto or_dash = [](std::string_view text) { return text.empty() ? std::string_view("-") : text; };
  std::string text;
  text.reserve(64);
  text += or_dash(payment.method);
  text += '/';
  text += to_string(payment.brand);
  text += '/';
  text += or_dash(payment.bin);
  text += '/';
  text += payment.amount.unit.code();
  text += '/';
  text += band_names[band_of(payment.amount)];
  if (!payment.country.empty()) {
    text += '/';
    text += payment.country;
  }
  return text;
}

}  // namespace turnout::routing
