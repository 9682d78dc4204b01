#pragma once
// A payment card as the shopper typed it. The type cannot be copied, printed
// or compared with ==, and wipes itself: there is no way to leak one by accident.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "payments/instant.hpp"

namespace turnout::payments {

enum class card_brand : std::uint8_t { visa, mastercard, amex, discover, diners, jcb, unionpay, maestro, unknown };
inline constexpr std::size_t card_brand_count = 9;
std::string_view to_string(card_brand) noexcept;
std::optional<card_brand> parse_card_brand(std::string_view) noexcept;

/// What may be kept and shown of a card: never the whole number, never a CVC.
struct card_summary {
  card_brand brand = card_brand::unknown;
  std::string bin;          ///< first six digits
  std::string last4;        ///< last four digits
  int exp_month = 0;        ///< 1..12
  int exp_year = 0;         ///< four digits
  std::string fingerprint;  ///< keyed hash of the whole number, hex; empty when not computed
};

/// Overwrites memory in a way that the compiler may not remove.
void secure_wipe(void* data, std::size_t size) noexcept;

/// A string that wipes its bytes when it dies or is assigned. Move-only.
class secret_string {
 public:
  secret_string() = default;
  /// Takes the text over and wipes the bytes that the move leaves behind in `text`.
  explicit secret_string(std::string&& text) noexcept;
  /// Copies; the original is its owner's to wipe.
  explicit secret_string(std::string_view text);
  explicit secret_string(const std::string& text) : secret_string(std::string_view(text)) {}
  explicit secret_string(const char* text) : secret_string(std::string_view(text)) {}
  secret_string(secret_string&&) noexcept;
  secret_string& operator=(secret_string&&) noexcept;
  secret_string(const secret_string&) = delete;
  secret_string& operator=(const secret_string&) = delete;
  ~secret_string();
  /// Named so that a reviewer sees every place where a secret is read.
  std::string_view reveal() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  void wipe() noexcept;

 private:
  std::string text_;
};

enum class card_errc : std::uint8_t {
  ok,
  number_not_digits,   ///< something else than 0-9 in the number
  number_length,       ///< fewer than 12 or more than 19 digits
  number_check_digit,  ///< Luhn fails
  cvc_malformed,       ///< not three or four digits
  expiry_malformed,    ///< month outside 1..12 or year not four digits
  expired,             ///< the month has ended everywhere on Earth
};

class card {
 public:
  card() = default;
  /// Checks everything but expiry. `cvc` may be empty.
  static card_errc parse(std::string_view number, int exp_month, int exp_year, std::string_view cvc,
                         std::string_view holder, card& out);

  std::string_view reveal_number() const noexcept { return number_.reveal(); }
  std::string_view reveal_cvc() const noexcept { return cvc_.reveal(); }
  /// Of an authentication that the merchant brought: base64, empty when there is none.
  std::string_view reveal_cryptogram() const noexcept { return cryptogram_.reveal(); }
  void add_cryptogram(std::string_view base64) { cryptogram_ = secret_string(base64); }
  std::string_view holder() const noexcept { return holder_.reveal(); }
  int exp_month() const noexcept { return exp_month_; }
  int exp_year() const noexcept { return exp_year_; }
  card_brand brand() const noexcept { return brand_; }
  bool present() const noexcept { return !number_.empty(); }
  /// A card is good until its month has ended in the last time zone (UTC-12).
  bool expired(wall_time now) const noexcept;
  card_summary summary() const;
  void wipe() noexcept;

 private:
  secret_string number_, cvc_, holder_, cryptogram_;
  int exp_month_ = 0, exp_year_ = 0;
  card_brand brand_ = card_brand::unknown;
};

/// Replaces the digits of this card's number by '*' wherever `text` holds it, also
/// with up to three other characters between two of its digits, and percent-encoded.
/// Works without the number: 12 to 19 digits that begin with the BIN and end with
/// the last four are it. Takes time in proportion to the text.
void mask_number(std::string& text, const card_summary& card);

bool luhn_valid(std::string_view digits) noexcept;
card_brand brand_of(std::string_view digits) noexcept;

}  // namespace turnout::payments
