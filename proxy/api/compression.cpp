#include "proxy/api/compression.hpp"

#include <algorithm>
#include <new>
#include <optional>

#define ZLIB_CONST
#include <zlib.h>

#include "proxy/api/header_text.hpp"

namespace turnout::api {

namespace {

/// Thousandths; nullopt for what is no quality value.
std::optional<int> read_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int value = (text[0] - '0') * 1000, unit = 100;
  for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value += (digit - '0') * unit;
    unit /= 10;
  }
  return value <= 1000 ? std::optional(value) : std::nullopt;
}

struct preferences {
  std::optional<int> gzip, identity, any;
};

/// One element of the list; what is malformed is not there.
void read_element(std::string_view element, preferences& into) {
  const std::size_t semicolon = element.find(';');
  const std::string_view name = trimmed(element.substr(0, semicolon));
  int quality = 1000;
  if (semicolon != std::string_view::npos) {
    const std::string_view weight = trimmed(element.substr(semicolon + 1));
    if (weight.size() < 2 || !equal_ignoring_case(weight.substr(0, 2), "q=")) return;
    const auto read = read_quality(weight.substr(2));
    if (!read) return;
    quality = *read;
  }
  if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip"))
    into.gzip = quality;
  else if (equal_ignoring_case(name, "identity"))
    into.identity = quality;
  else if (name == "*")
    into.any = quality;
}

preferences read_preferences(const net::headers& request) {
  preferences read;
  for (const auto& [name, value] : request) {
    if (!equal_ignoring_case(name, "Accept-Encoding")) continue;
    for (std::string_view rest = value;;) {
      const std::size_t comma = rest.find(',');
      read_element(rest.substr(0, comma), read);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return read;
}

/// Its memory, a quarter of a megabyte, is kept for the next answer of this thread.
class compressor {
 public:
  compressor() {
    constexpr int fastest = 1, window_bits = 15, gzip_header = 16, memory_level = 8;
    if (deflateInit2(&stream_, fastest, Z_DEFLATED, window_bits + gzip_header, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      throw std::bad_alloc();
  }
  ~compressor() { deflateEnd(&stream_); }
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;

  std::string run(std::string_view text) {
    deflateReset(&stream_);
    std::string out(deflateBound(&stream_, text.size()), '\0');
    stream_.next_in = reinterpret_cast<const Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) throw std::bad_alloc();
    out.resize(stream_.total_out);
    return out;
  }

 private:
  z_stream stream_{};
};

}  // namespace

coding choose_coding(const net::headers& request, std::size_t bytes) {
  const preferences wanted = read_preferences(request);
  const int gzip = wanted.gzip.value_or(wanted.any.value_or(0));
  if (gzip == 0) return coding::identity;
  // Identity is acceptable unless it is ruled out; without a weight of its own it is the last choice.
  const bool plain_refused = wanted.identity ? *wanted.identity == 0 : wanted.any == 0;
  if (plain_refused) return coding::gzip;
  return bytes >= least_compressed && gzip >= wanted.identity.value_or(0) ? coding::gzip : coding::identity;
}

std::string gzip(std::string_view text) {
  thread_local compressor own;
  return own.run(text);
}

}  // namespace turnout::api
