#include "proxy/api/payment_body.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>

#include "proxy/api/header_text.hpp"
#include "proxy/api/ip_address.hpp"
#include "settings/problem.hpp"

namespace turnout::api {

namespace {

using payments::card_errc;

bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// 2.2.0: two or three numbers of one or two digits.
bool is_protocol_version(std::string_view text) noexcept {
  int numbers = 0;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view number = text.substr(0, dot);
    if (number.empty() || number.size() > 2 || !all_digits(number)) return false;
    ++numbers;
    if (dot == std::string_view::npos) return numbers == 2 || numbers == 3;
    text.remove_prefix(dot + 1);
  }
}

/// Whole groups of four characters, as base64 of 20 to 48 bytes has them.
bool is_cryptogram(std::string_view text) noexcept {
  if (text.size() < 28 || text.size() > 64 || text.size() % 4 != 0) return false;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

bool upper_case_letters(std::string_view text, std::size_t count) noexcept {
  return text.size() == count && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool visible_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// No port, or one from 1 to 65535.
bool has_possible_port(std::string_view authority) noexcept {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');  // of an IPv6 address
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return true;
  const std::string_view digits = authority.substr(colon + 1);
  std::uint32_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() && port >= 1 && port <= 65535;
}

bool is_web_address(std::string_view text) noexcept {
  if (!visible_ascii(text) || text.find_first_of("\"<>\\^`{|}") != std::string_view::npos) return false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!equal_ignoring_case(text.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    return !authority.empty() && authority.front() != ':' && authority.find('@') == std::string_view::npos &&
           has_possible_port(authority);
  }
  return false;
}

bool is_email(std::string_view text) noexcept {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

bool has_control_character(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// No card is issued for longer; a typing mistake is.
constexpr int most_years_ahead = 30;

int year_of(payments::wall_time now) noexcept {
  const auto today = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now));
  return static_cast<int>(today.year());
}

class body_reader {
 public:
  body_reader(const principal& who, std::optional<payments::wall_time> now, card_form form)
      : who_(who), now_(now), form_(form) {}

  payment_body read(const json_document& body) {
    object(body.root(), "", body_fields);
    if (form_ == card_form::number_or_bin) complete_card();
    check_card();
    check_kept_texts();
    payment_body result;
    if (errors_.empty()) {
      result.request = payments::payment_request{
          .merchant = who_.merchant,
          .livemode = who_.livemode,
          .amount = {amount_, *currency_},
          .capture = capture_,
          .method = "card",
          .reference = std::string(reference_),
          .buyer = {std::string(customer_id_), std::string(customer_email_), std::string(customer_country_)},
          .return_url = std::string(return_url_),
          .metadata = std::move(metadata_),
          .authentication = std::move(authentication_)};
      result.card = std::move(card_);
      if (!cryptogram_.empty()) result.card.add_cryptogram(cryptogram_);
      result.customer_network = std::move(customer_network_);
    }
    result.errors = std::move(errors_);
    return result;
  }

 private:
  struct field {
    std::string_view path;
    bool required;
    void (body_reader::*read)(const json_value&, std::string_view path);
  };
  static const field body_fields[10], authentication_fields[4], method_fields[2], card_fields[5], loose_card_fields[6],
      customer_fields[4];

  void fault(std::string_view path, std::string message) {
    if (errors_.size() < most_errors) errors_.push_back({std::string(path), std::move(message)});
  }

  void object(const json_value& value, std::string_view prefix, std::span<const field> fields) {
    if (!value.is(json_kind::object)) {
      fault(prefix.empty() ? "body" : prefix.substr(0, prefix.size() - 1), "must be an object");
      return;
    }
    unsigned seen = 0;
    for (auto child = value.first_child(); child; child = child->next()) {
      std::size_t at = 0;
      while (at < fields.size() && fields[at].path.substr(prefix.size()) != child->key()) ++at;
      if (at == fields.size()) {
        unknown(prefix, child->key(), fields);
        continue;
      }
      seen |= 1u << at;
      (this->*fields[at].read)(*child, fields[at].path);
    }
    for (std::size_t at = 0; at < fields.size(); ++at)
      if (fields[at].required && (seen & (1u << at)) == 0) fault(fields[at].path, "is required");
  }

  void unknown(std::string_view prefix, std::string_view key, std::span<const field> fields) {
    std::vector<std::string_view> allowed;
    for (const field& each : fields) allowed.push_back(each.path.substr(prefix.size()));
    constexpr std::size_t longest_typo = 40;
    const std::string_view near = key.size() <= longest_typo ? settings::nearest(key, allowed) : std::string_view{};
    std::string message = "is not a known field";
    if (!near.empty()) message.append("; did you mean ").append(near).append("?");
    fault(shown_path(std::string(prefix).append(key)), std::move(message));
  }

  /// A string of least..most characters, or nullopt after saying what is wrong.
  std::optional<std::string_view> text(const json_value& value, std::string_view path, std::size_t most) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string"), std::nullopt;
    if (value.text().empty()) return fault(path, "must not be empty"), std::nullopt;
    if (count_characters(value.text()) > most)
      return fault(path, "must have at most " + std::to_string(most) + " characters"), std::nullopt;
    return value.text();
  }

  /// The same for what gateways are sent: some refuse a payment over a control character.
  std::string_view plain_text(const json_value& value, std::string_view path, std::size_t most) {
    const std::optional<std::string_view> read = text(value, path, most);
    if (read && has_control_character(*read))
      return fault(path, "must not contain control characters"), std::string_view();
    return read.value_or("");
  }

  std::optional<std::int64_t> integer(const json_value& value, std::string_view path, std::int64_t least,
                                      std::int64_t most, const char* range) {
    if (value.is(json_kind::real))
      return fault(path, "must be written as an integer, without fraction or exponent"), std::nullopt;
    if (!value.is(json_kind::integer) && !value.is(json_kind::huge))
      return fault(path, "must be an integer"), std::nullopt;
    if (value.is(json_kind::huge) || value.integer() < least || value.integer() > most)
      return fault(path, std::string("must be ") + range), std::nullopt;
    return value.integer();
  }

  void read_amount(const json_value& value, std::string_view path) {
    if (value.is(json_kind::real))
      return fault(path,
                   "must be an integer from 1 to 10^15 in the currency's minor unit, without fraction or exponent");
    amount_ = integer(value, path, 1, payments::max_amount_minor, "from 1 to 10^15").value_or(0);
  }
  void read_currency(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string");
    if (!upper_case_letters(value.text(), 3)) return fault(path, "must be three upper-case letters");
    currency_ = payments::currency::find(value.text());
    if (!currency_) fault(path, "is not an ISO 4217 currency");
  }
  void read_capture(const json_value& value, std::string_view path) {
    if (value.is(json_kind::string) && value.text() == "automatic")
      capture_ = payments::capture_mode::automatic;
    else if (value.is(json_kind::string) && value.text() == "manual")
      capture_ = payments::capture_mode::manual;
    else
      fault(path, "must be automatic or manual");
  }
  void read_method(const json_value& value, std::string_view) { object(value, "payment_method.", method_fields); }
  void read_type(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string) || value.text() != "card") fault(path, "must be card");
  }
  void read_card(const json_value& value, std::string_view) {
    has_card_ = true;
    if (form_ == card_form::number)
      object(value, "payment_method.card.", card_fields);
    else
      object(value, "payment_method.card.", loose_card_fields);
  }
  void read_bin(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string");
    if (value.text().size() != 6 || !all_digits(value.text())) return fault(path, "must have six digits");
    bin_ = value.text();
  }
  void read_number(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string");
    if (!all_digits(value.text())) return fault(path, "must have digits only, without spaces or dashes");
    if (value.text().size() < 12 || value.text().size() > 19) return fault(path, "must have 12 to 19 digits");
    if (!payments::luhn_valid(value.text())) return fault(path, "has a wrong check digit");
    number_ = value.text();
  }
  void read_month(const json_value& value, std::string_view path) {
    month_ = static_cast<int>(integer(value, path, 1, 12, "from 1 to 12").value_or(0));
  }
  void read_year(const json_value& value, std::string_view path) {
    year_ = static_cast<int>(integer(value, path, 1000, 9999, "a year of four digits").value_or(0));
    if (!now_ || year_ <= year_of(*now_) + most_years_ahead) return;
    fault(path, "is more than " + std::to_string(most_years_ahead) + " years ahead");
    year_ = 0;
  }
  void read_cvc(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string");
    if (!all_digits(value.text()) || value.text().size() < 3 || value.text().size() > 4)
      return fault(path, "must have three or four digits");
    cvc_ = value.text();
  }
  void read_holder(const json_value& value, std::string_view path) { holder_ = plain_text(value, path, 100); }
  void read_reference(const json_value& value, std::string_view path) {
    reference_ = text(value, path, 100).value_or("");
  }
  void read_customer(const json_value& value, std::string_view) { object(value, "customer.", customer_fields); }
  void read_customer_id(const json_value& value, std::string_view path) { customer_id_ = plain_text(value, path, 100); }
  void read_customer_email(const json_value& value, std::string_view path) {
    customer_email_ = plain_text(value, path, 254);
    if (!customer_email_.empty() && !is_email(customer_email_)) fault(path, "must be an e-mail address");
  }
  void read_customer_country(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string");
    if (!upper_case_letters(value.text(), 2)) return fault(path, "must be two upper-case letters");
    customer_country_ = value.text();
  }
  void read_customer_ip(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string");
    std::optional<std::string> network = network_of(value.text());
    if (!network) return fault(path, "must be an IPv4 or IPv6 address");
    customer_network_ = std::move(*network);
  }
  void read_return_url(const json_value& value, std::string_view path) {
    return_url_ = text(value, path, 2048).value_or("");
    if (!return_url_.empty() && !is_web_address(return_url_)) fault(path, "must be an absolute http or https URL");
  }
  void read_metadata(const json_value& value, std::string_view path) {
    if (!value.is(json_kind::object)) return fault(path, "must be an object of strings");
    if (value.size() > 50) return fault(path, "must have at most 50 keys");
    for (auto child = value.first_child(); child; child = child->next()) {
      const auto complain = [&](const char* message) {
        fault(shown_path(std::string(path).append(".").append(child->key())), message);
      };
      if (child->key().empty())
        complain("a key must not be empty");
      else if (count_characters(child->key()) > 40)
        complain("a key must have at most 40 characters");
      else if (!child->is(json_kind::string))
        complain("must be a string");
      else if (count_characters(child->text()) > 500)
        complain("must have at most 500 characters");
      else
        metadata_.emplace_back(child->key(), child->text());
    }
  }
  void read_quote(const json_value&, std::string_view path) { fault(path, "is not supported by this version"); }

  void read_authentication(const json_value& value, std::string_view) {
    authentication_.emplace();
    object(value, "authentication.", authentication_fields);
  }
  /// The value where it is of that shape; what is wrong otherwise. No message quotes a value.
  std::string_view shaped(const json_value& value, std::string_view path, bool (*good)(std::string_view),
                          const char* message) {
    if (!value.is(json_kind::string)) return fault(path, "must be a string"), std::string_view();
    if (!good(value.text())) return fault(path, message), std::string_view();
    return value.text();
  }
  void read_version(const json_value& value, std::string_view path) {
    authentication_->version = shaped(value, path, is_protocol_version, "must be a version such as 2.2.0");
  }
  void read_eci(const json_value& value, std::string_view path) {
    const auto two_digits = [](std::string_view text) { return text.size() == 2 && all_digits(text); };
    authentication_->eci = shaped(value, path, two_digits, "must be two digits");
  }
  void read_cryptogram(const json_value& value, std::string_view path) {
    cryptogram_ = shaped(value, path, is_cryptogram, "must be 20 to 48 bytes in base64");
  }
  void read_ds_transaction_id(const json_value& value, std::string_view path) {
    authentication_->ds_transaction_id = shaped(value, path, is_uuid, "must be a UUID");
  }

  /// Any number with that BIN serves to ask who would be chosen, and any expiry.
  void complete_card() {
    if (!has_card_ || !errors_.empty()) return;
    if (number_.empty() == bin_.empty()) return fault("payment_method.card", "needs number or bin, one of them");
    if (number_.empty()) {
      completed_ = bin_ + std::string(9, '0');
      char digit = '0';
      while (!payments::luhn_valid(completed_ + digit)) ++digit;
      number_ = completed_ += digit;
    }
    if (month_ == 0) month_ = 12;
    if (year_ == 0) year_ = now_ ? year_of(*now_) + 1 : 9999;
  }

  /// What only the whole card can tell.
  void check_card() {
    const bool dated = month_ != 0 && year_ != 0;
    if (!number_.empty() && dated &&
        payments::card::parse(number_, month_, year_, cvc_, holder_, card_) != card_errc::ok)
      fault("payment_method.card", "is not a valid card");
    // Where the number is at fault the expiry is still worth telling: any
    // valid number serves to ask.
    payments::card dated_card;
    if (now_ && dated &&
        payments::card::parse("4242424242424242", month_, year_, "", "", dated_card) == card_errc::ok &&
        dated_card.expired(*now_))
      fault("payment_method.card.exp_year", "the card has expired");
  }

  /// These are stored and shown: a card number must not slip in through them.
  void check_kept_texts() {
    if (number_.empty()) return;
    const auto check = [&](std::string_view path, std::string_view kept) {
      if (contains_number(kept, number_)) fault(path, "must not contain the card number");
    };
    check("reference", reference_);
    check("customer.id", customer_id_);
    check("customer.email", customer_email_);
    check("return_url", return_url_);
    if (authentication_) check("authentication.ds_transaction_id", authentication_->ds_transaction_id);
    for (const auto& [key, value] : metadata_) {
      check("metadata", key);
      check("metadata", value);
    }
  }

  const principal& who_;
  std::optional<payments::wall_time> now_;
  card_form form_;
  std::vector<field_error> errors_;
  std::int64_t amount_ = 0;
  std::optional<payments::currency> currency_;
  payments::capture_mode capture_ = payments::capture_mode::automatic;
  std::optional<payments::authentication> authentication_;
  std::string_view number_, cvc_, holder_, cryptogram_;
  int month_ = 0, year_ = 0;
  bool has_card_ = false;
  std::string bin_, completed_;  ///< of no real card
  payments::card card_;
  std::string_view reference_, customer_id_, customer_email_, customer_country_, return_url_;
  std::string customer_network_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

const body_reader::field body_reader::body_fields[10] = {
    {"amount", true, &body_reader::read_amount},          {"currency", true, &body_reader::read_currency},
    {"capture", false, &body_reader::read_capture},       {"payment_method", true, &body_reader::read_method},
    {"reference", false, &body_reader::read_reference},   {"customer", false, &body_reader::read_customer},
    {"return_url", false, &body_reader::read_return_url}, {"metadata", false, &body_reader::read_metadata},
    {"quote", false, &body_reader::read_quote},           {"authentication", false, &body_reader::read_authentication},
};
const body_reader::field body_reader::authentication_fields[4] = {
    {"authentication.version", true, &body_reader::read_version},
    {"authentication.eci", true, &body_reader::read_eci},
    {"authentication.cryptogram", true, &body_reader::read_cryptogram},
    {"authentication.ds_transaction_id", false, &body_reader::read_ds_transaction_id},
};
const body_reader::field body_reader::method_fields[2] = {
    {"payment_method.type", true, &body_reader::read_type},
    {"payment_method.card", true, &body_reader::read_card},
};
const body_reader::field body_reader::card_fields[5] = {
    {"payment_method.card.number", true, &body_reader::read_number},
    {"payment_method.card.exp_month", true, &body_reader::read_month},
    {"payment_method.card.exp_year", true, &body_reader::read_year},
    {"payment_method.card.cvc", false, &body_reader::read_cvc},
    {"payment_method.card.holder", false, &body_reader::read_holder},
};
const body_reader::field body_reader::loose_card_fields[6] = {
    {"payment_method.card.number", false, &body_reader::read_number},
    {"payment_method.card.bin", false, &body_reader::read_bin},
    {"payment_method.card.exp_month", false, &body_reader::read_month},
    {"payment_method.card.exp_year", false, &body_reader::read_year},
    {"payment_method.card.cvc", false, &body_reader::read_cvc},
    {"payment_method.card.holder", false, &body_reader::read_holder},
};
const body_reader::field body_reader::customer_fields[4] = {
    {"customer.id", false, &body_reader::read_customer_id},
    {"customer.email", false, &body_reader::read_customer_email},
    {"customer.country", false, &body_reader::read_customer_country},
    {"customer.ip", false, &body_reader::read_customer_ip},
};

}  // namespace

payment_body read_payment_body(const json_document& body, const principal& who, std::optional<payments::wall_time> now,
                               card_form form) {
  return body_reader(who, now, form).read(body);
}

// Whatever stands between digits is skipped, and full-width digits (U+FF10 to
// U+FF19, in UTF-8 EF BC 90 to EF BC 99) count: people do write numbers so.
bool contains_number(std::string_view text, std::string_view number) {
  if (number.empty()) return false;
  std::string digits;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool wide = byte >= 0x90 && byte <= 0x99 && at >= 2 && text[at - 1] == '\xbc' && text[at - 2] == '\xef';
    if (byte >= '0' && byte <= '9') digits.push_back(text[at]);
    if (wide) digits.push_back(static_cast<char>('0' + (byte - 0x90)));
  }
  return digits.find(number) != std::string::npos;
}

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace turnout::api
