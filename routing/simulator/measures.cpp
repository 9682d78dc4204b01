#include "routing/simulator/measures.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing::simulator {
namespace {

constexpr std::size_t share_payments = 200;  ///< that the share before an outage is taken from
constexpr std::size_t still_there = 1;
constexpr double points = 100;

/// Runs over a run's first choices.
class course {
 public:
  course(const stage& on, const run_log& of) : all_(on.all.payments), log_(of.payments) {}

  std::size_t at(double at_s) const noexcept {
    const auto found = std::lower_bound(all_.begin(), all_.end(), at_s,
                                        [](const payment_case& each, double when) { return each.at_s < when; });
    return static_cast<std::size_t>(found - all_.begin());
  }
  std::size_t count(std::size_t gateway, std::size_t from, std::size_t to) const noexcept {
    std::size_t found = 0;
    for (std::size_t i = from; i < std::min(to, log_.size()); ++i) found += log_[i].first == gateway;
    return found;
  }
  std::uint64_t failed(std::size_t gateway, std::size_t from, std::size_t to) const noexcept {
    std::uint64_t found = 0;
    for (std::size_t i = from; i < to; ++i) found += log_[i].first == gateway && log_[i].technical;
    return found;
  }
  timeline around(std::size_t gateway, double at_s) const {
    constexpr auto seconds = static_cast<std::size_t>(timeline::to_s - timeline::from_s);
    timeline seen{std::vector<std::uint32_t>(seconds), std::vector<std::uint32_t>(seconds)};
    const double from_s = at_s + timeline::from_s;
    for (std::size_t i = at(from_s); i < all_.size() && all_[i].at_s < at_s + timeline::to_s; ++i) {
      const auto second = std::min(static_cast<std::size_t>(all_[i].at_s - from_s), seconds - 1);
      ++seen.all[second];
      seen.here[second] += log_[i].first == gateway;
    }
    return seen;
  }
  /// The first place from `from` on where `enough(count in [place, place+window))` holds, or `to`.
  template <class Enough>
  std::size_t first_window(std::size_t gateway, std::size_t from, std::size_t to, std::size_t window,
                           Enough&& enough) const {
    std::size_t inside = count(gateway, from, from + window);
    for (std::size_t place = from; place < to; ++place) {
      if (enough(inside)) return place;
      inside -= log_[place].first == gateway;
      if (place + window < log_.size()) inside += log_[place + window].first == gateway;
    }
    return to;
  }

 private:
  const std::vector<payment_case>& all_;
  const std::vector<payment_log>& log_;
};

// When something else begins to happen at the gateway after `from_s`.
double next_event_s(const scenario& of, std::size_t gateway, double from_s) {
  for (const event& each : of.events())
    if (each.gateway == gateway && each.begins_s > from_s) return each.begins_s;
  return std::min(of.description().traffic.seconds, of.gateways()[gateway].disappears_s);
}

bool overlaps_another(const scenario& of, const event& outage) {
  return std::any_of(of.events().begin(), of.events().end(), [&](const event& each) {
    return &each != &outage && each.gateway == outage.gateway && each.begins_s <= outage.ends_s &&
           each.ends_s >= outage.begins_s;
  });
}

std::vector<outage_course> measure_outages(const stage& on, const run_log& of) {
  const course runs(on, of);
  const auto& all = on.all.payments;
  std::vector<outage_course> courses;
  for (const event& each : on.of.events()) {
    if (each.kind != event_kind::outage || overlaps_another(on.of, each)) continue;
    const std::size_t begin = runs.at(each.begins_s), end = runs.at(each.ends_s);
    if (begin < share_payments || begin == end) continue;
    outage_course seen;
    seen.share_before = static_cast<double>(runs.count(each.gateway, begin - share_payments, begin)) / share_payments;
    if (seen.share_before < least_share) continue;
    const auto window = static_cast<std::size_t>(std::ceil(expected_of_window / seen.share_before));
    const std::size_t left =
        runs.first_window(each.gateway, begin, end, window, [](std::size_t inside) { return inside <= still_there; });
    seen.lost = runs.failed(each.gateway, begin, left);
    seen.lost_later = runs.failed(each.gateway, left, end);
    seen.left_s = left == begin ? 0 : (left < end ? all[left].at_s : each.ends_s) - each.begins_s;
    const double until_s = next_event_s(on.of, each.gateway, each.ends_s);
    const std::size_t last = runs.at(until_s);
    const std::size_t back = runs.first_window(each.gateway, end, last, window, [](std::size_t inside) {
      return static_cast<double>(inside) >= expected_of_window / 2;
    });
    seen.back = back < last;
    seen.back_s = (seen.back ? all[back].at_s : until_s) - each.ends_s;
    seen.around_begin = runs.around(each.gateway, each.begins_s);
    seen.around_end = runs.around(each.gateway, each.ends_s);
    courses.push_back(std::move(seen));
  }
  return courses;
}

void measure_calm(const stage& on, const run_log& of, measures& into) {
  const auto& all = on.all.payments;
  const double learned_s = on.of.description().traffic.seconds * learning_share;
  double calm_from_s = learned_s, explored = 0;
  std::size_t next = 0;
  const auto& events = on.of.events();
  for (std::size_t i = 0; i < all.size(); ++i) {
    while (next < events.size() && events[next].begins_s <= all[i].at_s)
      calm_from_s = std::max(calm_from_s, events[next++].ends_s + calm_after_s);
    if (all[i].at_s < calm_from_s || !all[i].genuine) continue;
    ++into.calm_payments;
    into.calm_first_regret += of.payments[i].first_regret;
    explored += of.payments[i].explored;
    if (of.payments[i].explored) into.calm_explored_regret += of.payments[i].first_regret;
  }
  const double count = std::max<double>(1, static_cast<double>(into.calm_payments));
  into.calm_first_regret *= points / count;
  into.calm_explored_regret *= points / count;
  into.calm_explored = explored / count;
}

}  // namespace

measures measure(const stage& on, const run_log& of) {
  measures found;
  found.attempts = of.attempts;
  for (std::size_t i = 0; i < of.payments.size(); ++i) {
    if (!on.all.payments[i].genuine) continue;
    const payment_log& each = of.payments[i];
    ++found.payments;
    found.approved += each.approved;
    found.approved_first += each.approved_first;
    found.first_regret += each.first_regret;
  }
  found.first_regret *= points / std::max<double>(1, static_cast<double>(found.payments));
  found.false_alarms = of.false_alarms;
  found.watched_gateway_hours = of.watched_gateway_s / 3600;
  found.outages = measure_outages(on, of);
  measure_calm(on, of, found);
  return found;
}

}  // namespace turnout::routing::simulator
