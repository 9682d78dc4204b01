#pragma once
// What all dialects need to take a request apart: the target, and a JSON body
// whose first wrong member is remembered by name.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "payments/card.hpp"
#include "sandbox/card_check.hpp"
#include "sandbox/dialect.hpp"

namespace turnout::sandbox {

struct split_target {
  std::string_view path, query;
};
split_target split(std::string_view target) noexcept;
/// Decoded; nullopt when absent or badly encoded.
std::optional<std::string> query_value(std::string_view query, std::string_view name);
std::optional<std::string> percent_decoded(std::string_view text);

/// A request's JSON body. The memory it was parsed into is wiped afterwards:
/// it held a card.
class json_body {
 public:
  /// An empty text is an empty object.
  explicit json_body(std::string_view text);
  /// Null when the text is not a JSON object.
  const boost::json::object* object() const noexcept { return root_.if_object(); }

 private:
  struct wiped_buffer {
    unsigned char bytes[4096];
    ~wiped_buffer() { payments::secure_wipe(bytes, sizeof bytes); }
  };
  static boost::json::value parse(std::string_view text, boost::json::storage_ptr memory);

  wiped_buffer buffer_;
  boost::json::monotonic_resource memory_;
  boost::json::value root_;
};

/// Reads members of one object. What is missing or wrong leaves a neutral
/// value and the first complaint.
class member_reader {
 public:
  enum class need : bool { optional, required };

  member_reader(const boost::json::object* from, std::string path, std::optional<rejection>& complaint)
      : from_(from), path_(std::move(path)), complaint_(complaint) {}

  /// Up to `longest` bytes without control characters; null counts as absent, so does "" when optional.
  std::string_view text(std::string_view name, need how, std::size_t longest = 255);
  /// A JSON integer, never a fraction or a text.
  std::optional<std::int64_t> integer(std::string_view name, need how);
  /// An integer, or its digits as text ("05"); at most four digits.
  std::int64_t small_number(std::string_view name);
  bool flag(std::string_view name, bool fallback);
  member_reader object(std::string_view name, need how);
  bool has_object() const noexcept { return from_ != nullptr; }
  void complain(std::string_view name, std::string_view message);

 private:
  const boost::json::value* find(std::string_view name, need how);

  const boost::json::object* from_;
  std::string path_;
  std::optional<rejection>& complaint_;
};

/// A positive integer of minor units no larger than a payment may be.
std::optional<std::int64_t> read_minor(member_reader& from, std::string_view name, member_reader::need how);
/// One of the five currencies that the gateways take.
std::optional<payments::currency> read_currency(member_reader& from, std::string_view name, member_reader::need how);

/// What a dialect calls the members of a card.
struct card_names {
  std::string_view number, month, year, cvc;
};
void settle_card(member_reader& from, const card_names& names, const presented_card& card, payments::wall_time now,
                 call& into);

/// Where a charge's shopper comes back, and whether the caller had the shopper
/// authenticated already: an object with a cryptogram.
void read_authentication(member_reader& root, std::string_view return_url, std::string_view authentication, call& into);

/// "capture", "refund" or "void".
std::optional<operation_kind> modification(std::string_view word) noexcept;

}  // namespace turnout::sandbox
