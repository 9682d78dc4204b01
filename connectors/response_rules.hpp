#pragma once
// What a gateway's answer means: rules in order, the first that matches wins,
// and an answer that no rule matches means nothing at all (unknown).
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "connectors/exponents.hpp"
#include "connectors/json_path.hpp"
#include "connectors/wire.hpp"
#include "payments/decline_reason.hpp"
#include "payments/money.hpp"
#include "payments/outcome.hpp"
#include "payments/send_result.hpp"
#include "settings/reader.hpp"

namespace turnout::connectors {

/// A gateway's codes as reasons; what is not listed is `fallback`.
struct reason_map {
  std::map<std::string, payments::decline_reason, std::less<>> codes;
  payments::decline_reason fallback = payments::decline_reason::declined;
};
/// By name; null: the map is there, but wrong (and reported).
using reason_maps = std::map<std::string, std::shared_ptr<const reason_map>, std::less<>>;

/// Inclusive ranges of HTTP statuses; none: any status.
using status_ranges = std::vector<std::pair<unsigned, unsigned>>;

struct condition {
  enum class kind : std::uint8_t { exists, absent, one_of };
  using literal = std::variant<std::nullptr_t, bool, std::int64_t, std::string>;
  json_path path;
  kind what = kind::exists;
  std::vector<literal> literals;
};

/// One name of a rule's `keep:`, and where its value stands in the answer.
struct kept_source {
  enum class where : std::uint8_t { body, header, cookie };
  std::string name;
  where in = where::body;
  std::optional<json_path> path;  ///< body
  std::string field;              ///< the header's or cookie's name
  bool in_path = false;           ///< some request has it in its path: then what would lead elsewhere is not kept
};

struct rule {
  // ---- when ----
  status_ranges statuses;
  std::vector<condition> conditions;
  // ---- effects ----
  payments::outcome outcome = payments::outcome::unknown;
  bool decides = true;  ///< false: says no outcome
  bool not_found = false;
  payments::decline_reason reason = payments::decline_reason::none;
  std::optional<json_path> code_from;  ///< where the code stands that `map` translates
  std::shared_ptr<const reason_map> map;
  std::optional<bool> captured;
  std::optional<json_path> captured_path, amount, currency, gateway_reference, gateway_code, action_url;
  bool amount_is_decimal = false;  ///< also of the totals
  bool reference_in_path = false;  ///< some request has the gateway's reference in its path
  /// Where the answer echoes the id that the request carried. Unless it may be
  /// absent, an answer without it is not believed.
  std::optional<json_path> echo;
  bool echo_may_be_absent = false;
  /// `action:` instead of `action_url`: what the shopper's browser posts there.
  bool action_is_form = false;
  std::vector<std::pair<std::string, json_path>> action_fields;
  std::optional<json_path> action_members;  ///< an object of which every member is a field
  /// inquire: what became of the charge since. Such a rule may say no outcome,
  /// which leaves the charge's own as unknown as an answer without a rule.
  std::optional<json_path> captured_total, refunded_total, voided_path;
  std::optional<bool> voided;

  std::vector<kept_source> keep;

  /// Reads the body as JSON: does not match one that is not.
  bool needs_json() const noexcept {
    return !conditions.empty() || code_from || captured_path || amount || currency || gateway_reference ||
           gateway_code || echo || action_url || captured_total || refunded_total || voided_path ||
           std::any_of(keep.begin(), keep.end(), [](const kept_source& each) { return each.path.has_value(); });
  }
};

/// The rules of one operation.
class response_rules {
 public:
  /// Appends to the problems behind `list`; nullopt when it is wrong.
  /// `carries_reference`: the request has our reference in it, so that an answer can echo it.
  static std::optional<response_rules> load(const settings::value& list, payments::operation asked,
                                            const reason_maps& maps, bool carries_reference);
  /// What requests of this connector have in their paths: values of an answer
  /// that would lead to another place there are not taken from it.
  void use_in_paths(bool gateway_reference, const std::vector<std::string>& kept);
  payments::send_result read(const wire_reply& reply, const payments::money& charged, const exponents& decimals) const;
  /// Some rule ends so.
  bool can_say(payments::outcome wanted) const noexcept;
  bool can_say_not_found() const noexcept;

 private:
  std::vector<rule> rules_;
  bool needs_json_ = false;
  bool needs_reference_ =
      true;  ///< of an approval whose rule reads one; not of a reversal: there may have been no charge
};

/// True when every answer that `later` matches is already matched by `earlier`.
bool covers(const rule& earlier, const rule& later);

/// The names that an operation's rules keep, without repeats; reports nothing.
void add_kept_names(const settings::value& operation, std::vector<std::string>& into);

/// `declines:` and the blocks under `maps:`.
void load_reason_map(const std::string& name, const settings::value& block, reason_maps& into);

}  // namespace turnout::connectors
