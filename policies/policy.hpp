#pragma once
// What ops tune: which payments a policy is for, where they may go, and when
// another gateway may be tried.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/connector_profile.hpp"
#include "payments/payment.hpp"
#include "payments/retry_plan.hpp"
#include "settings/document.hpp"
#include "settings/problem.hpp"

namespace turnout::policies {

/// Compares amounts across currencies: `amount` in the currency `to`, or
/// nullopt when no usable rate exists (422 rate_unavailable, also under not:).
using amount_lookup =
    std::function<std::optional<payments::money>(const payments::money& amount, payments::currency to)>;

enum class strategy : std::uint8_t {
  adaptive,    ///< the best score, with a little exploration
  priority,    ///< the first of the list that works
  weighted,    ///< drawn by `weights` among those that work
  least_cost,  ///< the cheapest that works
};
std::string_view to_string(strategy) noexcept;

/// Prices for the router's objective. Defaults serve a shop that was told nothing.
struct objective {
  double margin = 0.20;  ///< share of the amount that an approval is worth, 0..1
  std::optional<payments::money> latency_price_per_s;
  std::optional<payments::money> unknown_cost;
};

struct route {
  policies::strategy strategy = strategy::adaptive;
  std::vector<std::string> connectors;  ///< for priority, in this order; empty: every connector
  std::vector<double> weights;          ///< for weighted: one > 0 for each of `connectors`, in their order
  policies::objective objective;
};

/// What a policy looks at. Filled from the payment by the engine.
struct match_input {
  std::string_view merchant, method;
  payments::card_brand brand;
  std::string_view bin, customer_country;
  payments::money amount;
  payments::capture_mode capture;
};

enum class match_result : std::uint8_t { yes, no, rate_unavailable };

/// A condition that keeps a policy from matching.
struct unmet_condition {
  std::string condition;   ///< in words, as describe() has it
  bool undecided = false;  ///< it needs a rate that is not there
};

class matcher {  // the compiled `match:` block
 public:
  virtual ~matcher() = default;
  virtual match_result matches(const match_input& input, const amount_lookup& convert) const = 0;
  /// The condition in words: "currency EUR or USD". For who explains.
  virtual std::string describe() const = 0;
  /// Appends what does not hold for `input`; nothing when all of it does.
  virtual void find_unmet(const match_input& input, const amount_lookup& convert,
                          std::vector<unmet_condition>& into) const;
};

struct policy {
  std::string name;
  std::shared_ptr<const matcher> match;  ///< null: every payment
  policies::route route;
  payments::retry_plan retry;
  std::optional<double> retry_budget;  ///< share of payments; can only tighten the proxy's
};

/// Policies of all files, in order; the first that matches wins.
struct policy_set {
  std::vector<policy> policies;
  std::string version;  ///< hash of what the files say, 12 hex digits
};

struct policy_choice {
  const policy* chosen = nullptr;
  bool rate_unavailable = false;  ///< a comparison on the way needed a rate that is not there
};
/// The first that matches. One that cannot be decided for want of a rate ends the search.
policy_choice select(const policy_set& set, const match_input& input, const amount_lookup& convert);

/// Appends the file's policies to `into`; errors go to `found`. `connectors` are
/// the names that exist, for "unknown connector … did you mean".
void load(const settings::document& file, const std::vector<std::string_view>& connectors, policy_set& into,
          settings::problems& found);

/// After the last file: warns when a payment may match no policy.
void check_default(const policy_set& set, settings::problems& found);

}  // namespace turnout::policies
