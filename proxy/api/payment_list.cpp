#include "proxy/api/payment_list.hpp"

#include <charconv>

#include "payments/money.hpp"
#include "proxy/api/payment_body.hpp"
#include "proxy/api/rfc3339.hpp"

namespace turnout::api {

namespace {

using std::chrono::seconds;

/// Longer texts than this no payment has.
constexpr std::size_t longest_text = 100;

class filter_reader {
 public:
  filter_reader(const query& asked, std::vector<field_error>& errors) : asked_(asked), errors_(errors) {}

  std::string text(std::string_view name) {
    const std::string* given = asked_.find(name);
    if (!given) return {};
    const std::size_t length = count_characters(*given);
    if (length == 0 || length > longest_text) fault(name, "must have 1 to 100 characters");
    return *given;
  }

  std::optional<std::int64_t> amount(std::string_view name) {
    const std::string* given = asked_.find(name);
    if (!given) return std::nullopt;
    std::int64_t value = -1;
    const auto [end, failed] = std::from_chars(given->data(), given->data() + given->size(), value);
    if (failed == std::errc() && end == given->data() + given->size() && value >= 0 &&
        value <= payments::max_amount_minor)
      return value;
    fault(name, "must be an integer from 0 to 10^15, in minor units");
    return std::nullopt;
  }

  std::optional<payments::wall_time> time(std::string_view name) {
    const std::string* given = asked_.find(name);
    if (!given) return std::nullopt;
    const auto read = parse_rfc3339(*given);
    if (!read) fault(name, "must be an RFC 3339 time, such as 2026-11-20T10:00:00Z or 2026-11-20T11:00:00+01:00");
    return read;
  }

  std::vector<payments::payment_status> statuses() {
    std::vector<payments::payment_status> found;
    const std::string* given = asked_.find("status");
    if (!given) return found;
    for (std::string_view rest = *given;;) {
      const std::size_t comma = rest.find(',');
      const auto status = payments::parse_payment_status(rest.substr(0, comma));
      if (!status) {
        fault("status",
              "must be one or more of processing, requires_action, authorized, succeeded, failed, canceled, "
              "separated by commas");
        return found;
      }
      found.push_back(*status);
      if (comma == std::string_view::npos) return found;
      rest.remove_prefix(comma + 1);
    }
  }

  std::string currency() {
    const std::string* given = asked_.find("currency");
    if (!given) return {};
    if (!payments::currency::find(*given)) fault("currency", "must be an ISO 4217 code in three upper-case letters");
    return *given;
  }

  void fault(std::string_view name, const char* message) { errors_.push_back({std::string(name), message}); }

 private:
  const query& asked_;
  std::vector<field_error>& errors_;
};

/// The first time that is shown as one after `limit`; times are shown in whole seconds.
payments::wall_time shown_after(payments::wall_time limit) { return std::chrono::floor<seconds>(limit) + seconds(1); }
/// The first time that is not shown as one before `limit`.
payments::wall_time not_shown_before(payments::wall_time limit) { return std::chrono::ceil<seconds>(limit); }

}  // namespace

std::size_t read_limit(const query& asked, std::size_t usually, std::vector<field_error>& errors) {
  const std::string* given = asked.find("limit");
  if (!given) return usually;
  std::size_t value = 0;
  const auto [end, failed] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (failed == std::errc() && end == given->data() + given->size() && value >= 1 && value <= most_listed) return value;
  errors.push_back({"limit", "must be an integer from 1 to 100"});
  return usually;
}

std::int64_t read_cursor(const query& asked, const list_cursors& cursors, const principal& who, std::string_view list,
                         std::int64_t start, std::vector<field_error>& errors) {
  const std::string* given = asked.find("cursor");
  if (!given) return start;
  if (const auto position = cursors.read(who, list, *given)) return *position;
  errors.push_back({"cursor", "must be the next_cursor of an earlier answer to this list, for this merchant and mode"});
  return start;
}

core::payment_filter read_payment_filter(const query& asked, const list_cursors& cursors, const principal& who,
                                         std::vector<field_error>& errors) {
  filter_reader from(asked, errors);
  core::payment_filter made;
  made.merchant = who.merchant;
  made.livemode = who.livemode;
  made.limit = read_limit(asked, usually_listed, errors);
  made.before = read_cursor(asked, cursors, who, payments_list, made.before, errors);
  made.statuses = from.statuses();
  made.reference = from.text("reference");
  made.customer = from.text("customer");
  made.connector = from.text("connector");
  made.currency = from.currency();
  made.amount_min = from.amount("amount_min");
  made.amount_max = from.amount("amount_max");
  if (made.amount_min && made.amount_max && *made.amount_min > *made.amount_max)
    from.fault("amount_max", "must not be below amount_min");
  const auto after = from.time("created_after"), before = from.time("created_before");
  if (after && before && *after > *before) from.fault("created_before", "must not be earlier than created_after");
  if (after) made.created_from = shown_after(*after);
  if (before) made.created_before = not_shown_before(*before);
  return made;
}

}  // namespace turnout::api
