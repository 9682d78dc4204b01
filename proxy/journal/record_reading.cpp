// Reading a record back. A row that this binary did not write, or that was
// damaged, must end in an error that names the place, never in a guess.
#include <boost/json.hpp>
#include <limits>
#include <optional>

#include "proxy/journal/record_json.hpp"

namespace turnout::journal {

namespace {

namespace json = boost::json;

[[noreturn]] void damaged(std::string_view where, std::string_view why) {
  throw damaged_record("stored record: " + std::string(where) + ": " + std::string(why));
}

/// The members of one object, each taken once; done() complains about the rest.
class members {
 public:
  members(const json::value& value, std::string where) : where_(std::move(where)) {
    object_ = value.if_object();
    if (!object_) damaged(where_, "not an object");
  }

  const json::value* find(std::string_view name) {
    const json::value* found = object_->if_contains(name);
    if (found) ++taken_;
    return found;
  }
  bool has(std::string_view name) const { return object_->contains(name); }
  std::string text(std::string_view name) {
    const json::value* found = find(name);
    if (!found) return {};
    if (!found->is_string()) damaged(path(name), "not a string");
    return std::string(found->get_string());
  }
  std::int64_t number(std::string_view name) {
    const json::value* found = find(name);
    if (!found) return 0;
    if (!found->is_int64()) damaged(path(name), "not a 64-bit integer");
    return found->get_int64();
  }
  const json::value& required(std::string_view name) {
    const json::value* found = find(name);
    if (!found) damaged(path(name), "missing");
    return *found;
  }
  std::string required_text(std::string_view name) {
    const json::value& found = required(name);
    if (!found.is_string()) damaged(path(name), "not a string");
    return std::string(found.get_string());
  }
  std::int64_t required_number(std::string_view name) {
    if (!object_->if_contains(name)) damaged(path(name), "missing");
    return number(name);
  }
  std::optional<std::int64_t> optional_number(std::string_view name) {
    if (!object_->if_contains(name)) return std::nullopt;
    return number(name);
  }
  int small_number(std::string_view name) {
    const std::int64_t value = number(name);
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
      damaged(path(name), "out of range");
    return static_cast<int>(value);
  }
  payments::wall_time time(std::string_view name) { return from_stored(required_number(name)); }
  std::optional<payments::wall_time> optional_time(std::string_view name) {
    if (!object_->if_contains(name)) return std::nullopt;
    return time(name);
  }
  bool flag(std::string_view name) {
    const json::value* found = find(name);
    if (!found) return false;
    if (!found->is_bool()) damaged(path(name), "not a boolean");
    return found->get_bool();
  }
  /// A word of an enum, through its parse function; nullopt when absent.
  template <class Parse>
  auto word(std::string_view name, Parse parse) -> decltype(parse(std::string_view())) {
    const json::value* found = find(name);
    if (!found) return std::nullopt;
    if (!found->is_string()) damaged(path(name), "not a string");
    auto value = parse(std::string_view(found->get_string()));
    if (!value) damaged(path(name), "not a word that this version knows");
    return value;
  }
  template <class Parse>
  auto required_word(std::string_view name, Parse parse) {
    auto value = word(name, parse);
    if (!value) damaged(path(name), "missing");
    return *value;
  }
  payments::money money() {
    const std::int64_t minor = required_number("amount");
    return payments::money{minor, required_word("currency", payments::currency::find)};
  }
  void done() const {
    // Our own writer never repeats a member, so counting is enough.
    if (taken_ != object_->size()) damaged(where_, "has a member that this version does not know");
  }
  std::string path(std::string_view name) const {
    return where_.empty() ? std::string(name) : where_ + "." + std::string(name);
  }

 private:
  const json::object* object_;
  std::string where_;
  std::size_t taken_ = 0;
};

/// For enums that have no parse function: compares with the name of each value.
template <class Enum, Enum Last>
std::optional<Enum> named(std::string_view word) {
  for (int value = 0; value <= static_cast<int>(Last); ++value)
    if (to_string(static_cast<Enum>(value)) == word) return static_cast<Enum>(value);
  return std::nullopt;
}

constexpr auto parse_capture = named<payments::capture_mode, payments::capture_mode::manual>;
constexpr auto parse_reversal = named<payments::reversal_state, payments::reversal_state::confirmed>;
constexpr auto parse_advice = named<payments::advice, payments::advice::contact_issuer>;

const json::array& elements(const json::value& value, std::string_view where) {
  if (!value.is_array()) damaged(where, "not an array");
  return value.get_array();
}

payments::card_summary read_card(const json::value& value) {
  members from(value, "card");
  payments::card_summary card;
  card.brand = from.required_word("brand", payments::parse_card_brand);
  card.bin = from.text("bin");
  card.last4 = from.text("last4");
  card.exp_month = from.small_number("exp_month");
  card.exp_year = from.small_number("exp_year");
  card.fingerprint = from.text("fingerprint");
  from.done();
  return card;
}

payments::customer read_customer(const json::value& value) {
  members from(value, "customer");
  payments::customer buyer;
  buyer.id = from.text("id");
  buyer.email = from.text("email");
  buyer.country = from.text("country");
  from.done();
  return buyer;
}

std::vector<std::pair<std::string, std::string>> read_pairs(const json::value* value, std::string_view where) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!value) return pairs;
  for (const json::value& pair : elements(*value, where)) {
    const json::array& both = elements(pair, where);
    if (both.size() != 2 || !both[0].is_string() || !both[1].is_string())
      damaged(std::string(where) + "[]", "not a pair of strings");
    pairs.emplace_back(std::string(both[0].get_string()), std::string(both[1].get_string()));
  }
  return pairs;
}

payments::shopper_action read_action(members& from) {
  return {.url = from.text("next_action_url"),
          .form = from.flag("next_action_form"),
          .fields = read_pairs(from.find("next_action_fields"), "next_action_fields")};
}

payments::authentication read_authentication(const json::value& value) {
  members from(value, "authentication");
  payments::authentication brought{from.text("version"), from.text("eci"), from.text("ds_transaction_id")};
  from.done();
  return brought;
}

payments::attempt read_attempt(const json::value& value, std::size_t index) {
  members from(value, "attempts[" + std::to_string(index) + "]");
  payments::attempt attempt{
      .id = from.text("id"),
      .connector = from.text("connector"),
      .operation = from.required_word("operation", payments::parse_operation),
      .amount = from.money(),
      .in_flight = from.flag("in_flight"),
      .outcome = from.required_word("outcome", payments::parse_outcome),
      .code = from.text("code"),
      .reason = from.word("reason", payments::parse_decline_reason).value_or(payments::decline_reason::none),
      .gateway_code = from.text("gateway_code"),
      .gateway_reference = from.text("gateway_reference"),
      .captured = from.flag("captured"),
      .reversal = from.word("reversal", parse_reversal).value_or(payments::reversal_state::none),
      .reversal_reason = from.text("reversal_reason"),
      .seen_approved = from.flag("seen_approved"),
      .found_amount = from.optional_number("found_amount"),
      .twin_of = from.text("twin_of"),
      .doubted = from.flag("doubted"),
      .look_again_at = from.optional_time("look_again_at"),
      .looks = from.small_number("looks"),
      .kept = read_pairs(from.find("kept"), "kept"),
      .sends = from.small_number("sends"),
      .latency = payments::milliseconds(from.number("latency_ms")),
      .started_at = from.time("started_at"),
      .ended_at = from.time("ended_at"),
  };
  from.done();
  return attempt;
}

std::vector<payments::attempt> read_attempts(const json::value* value) {
  std::vector<payments::attempt> attempts;
  if (value)
    for (const json::value& attempt : elements(*value, "attempts"))
      attempts.push_back(read_attempt(attempt, attempts.size()));
  return attempts;
}

std::optional<payments::operation> parse_modification_operation(std::string_view word) {
  const auto found = payments::parse_operation(word);
  using payments::operation;
  const bool fits = found == operation::capture || found == operation::refund || found == operation::void_payment ||
                    found == operation::reverse;
  return fits ? found : std::nullopt;
}

payments::modification read_modification(const json::value& value, std::size_t index) {
  members from(value, "modifications[" + std::to_string(index) + "]");
  payments::modification each{
      .id = from.required_text("id"),
      .kind = from.required_word("kind", payments::parse_modification_kind),
      .operation = from.required_word("operation", parse_modification_operation),
      .amount = from.required_number("amount"),
      .final_capture = from.flag("final"),
      .status = from.required_word("status", payments::parse_modification_status),
      .in_flight = from.flag("in_flight"),
      .doubtful = from.flag("doubtful"),
      .cause = from.text("cause"),
      .reference = from.text("reference"),
      .reason = from.text("reason"),
      .code = from.text("code"),
      .gateway_code = from.text("gateway_code"),
      .gateway_reference = from.text("gateway_reference"),
      .told_amount = from.optional_number("told_amount"),
      .sends = from.small_number("sends"),
      .not_before = from.optional_time("not_before"),
      .first_sent_at = from.optional_time("first_sent_at"),
      .created_at = from.time("created_at"),
      .updated_at = from.time("updated_at"),
  };
  from.done();
  return each;
}

std::vector<payments::modification> read_modifications(const json::value* value) {
  std::vector<payments::modification> read;
  if (value)
    for (const json::value& each : elements(*value, "modifications"))
      read.push_back(read_modification(each, read.size()));
  return read;
}

payments::resolution read_resolution(const json::value& value, std::size_t index) {
  members from(value, "resolutions[" + std::to_string(index) + "]");
  payments::resolution word{
      .target = from.required_text("target"),
      .as = from.required_word("as", payments::parse_verdict),
      .by = from.text("by"),
      .reason = from.text("reason"),
      .gateway_reference = from.text("gateway_reference"),
      .before = from.text("before"),
      .after = from.text("after"),
      .at = from.time("at"),
  };
  from.done();
  return word;
}

std::vector<payments::resolution> read_resolutions(const json::value* value) {
  std::vector<payments::resolution> read;
  if (value)
    for (const json::value& each : elements(*value, "resolutions")) read.push_back(read_resolution(each, read.size()));
  return read;
}

payments::payment_error read_error(const json::value& value) {
  members from(value, "error");
  payments::payment_error error;
  error.code = from.text("code");
  error.message = from.text("message");
  error.reason = from.word("reason", payments::parse_decline_reason).value_or(payments::decline_reason::none);
  error.group = from.word("class", payments::parse_decline_class);
  error.advice = from.word("advice", parse_advice);
  if (from.has("retry_after_s")) error.retry_after = std::chrono::seconds(from.number("retry_after_s"));
  error.connector = from.text("connector");
  error.gateway_code = from.text("gateway_code");
  from.done();
  return error;
}

payments::attention read_attention(const json::value& value) {
  members from(value, "attention");
  payments::attention attention{from.time("since"), from.text("reason")};
  from.done();
  return attention;
}

/// `read` applied to a member that may be absent.
template <class Read>
auto optional_member(members& from, std::string_view name, Read read) {
  const json::value* value = from.find(name);
  return value ? std::optional(read(*value)) : std::nullopt;
}

payments::payment read_members(members& from) {
  return {
      .id = from.required_text("id"),
      .merchant = from.text("merchant"),
      .livemode = from.flag("livemode"),
      .status = from.required_word("status", payments::parse_payment_status),
      .amount = from.money(),
      .capture = from.required_word("capture", parse_capture),
      .amount_authorized = from.number("amount_authorized"),
      .amount_captured = from.number("amount_captured"),
      .amount_refunded = from.number("amount_refunded"),
      .method = from.text("method"),
      .card = read_card(from.required("card")),
      .reference = from.text("reference"),
      .buyer = optional_member(from, "customer", read_customer).value_or(payments::customer{}),
      .return_url = from.text("return_url"),
      .metadata = read_pairs(from.find("metadata"), "metadata"),
      .policy = from.text("policy"),
      .connector = from.text("connector"),
      .attempts = read_attempts(from.find("attempts")),
      .modifications = read_modifications(from.find("modifications")),
      .resolutions = read_resolutions(from.find("resolutions")),
      .error = optional_member(from, "error", read_error),
      .attention = optional_member(from, "attention", read_attention),
      .authentication = optional_member(from, "authentication", read_authentication),
      .next_action = read_action(from),
      .action_expires_at = from.optional_time("action_expires_at"),
      .action_expired = from.flag("action_expired"),
      .cancel_requested = from.flag("cancel_requested"),
      .answered = from.flag("answered"),
      .interrupted = from.flag("interrupted"),
      .expires_at = from.optional_time("expires_at"),
      .capture_before = from.optional_time("capture_before"),
      .created_at = from.time("created_at"),
      .updated_at = from.time("updated_at"),
  };
}

}  // namespace

payments::payment_event_type read_event_type(std::string_view word) {
  const auto type = named<payments::payment_event_type, payments::payment_event_type::looked_again>(word);
  if (!type) damaged("event type", "not a word that this version knows");
  return *type;
}

std::vector<payments::payment_event> read_events(std::string_view text) {
  unsigned char buffer[4096];
  json::monotonic_resource memory(buffer);
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  json::error_code failed;
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()), failed, &memory, options);
  if (failed) damaged("events", "not JSON");
  std::vector<payments::payment_event> events;
  for (const json::value& each : elements(parsed, "events")) {
    const json::array& told = elements(each, "events[]");
    const bool typed = (told.size() == 4 || told.size() == 6) && told[0].is_string() && told[1].is_int64() &&
                       told[2].is_string() && told[3].is_string();
    if (!typed) damaged("events[]", "not an event");
    payments::payment_event event{.type = read_event_type(std::string_view(told[0].get_string())),
                                  .at = from_stored(told[1].get_int64()),
                                  .attempt = std::string(told[2].get_string()),
                                  .code = std::string(told[3].get_string())};
    if (told.size() == 6) {
      const auto unit =
          told[5].is_string() ? payments::currency::find(std::string_view(told[5].get_string())) : std::nullopt;
      if (!told[4].is_int64() || !unit) damaged("events[]", "not an amount");
      event.amount = payments::money{told[4].get_int64(), *unit};
    }
    events.push_back(std::move(event));
  }
  return events;
}

payments::payment read_record(std::string_view text) {
  unsigned char buffer[8192];
  json::monotonic_resource memory(buffer);
  json::parse_options options;
  // A gateway's code may hold any bytes; they come back as they were.
  options.allow_invalid_utf8 = true;
  json::error_code failed;
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()), failed, &memory, options);
  if (failed) damaged("text", "not JSON");
  members from(parsed, "");
  if (from.required_number("v") != 1) damaged("v", "not a version that this turnout reads");
  payments::payment record = read_members(from);
  from.done();
  return record;
}

}  // namespace turnout::journal
