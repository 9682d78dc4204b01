// What a gateway does with a request that has arrived.
#include "tests/simulation/gateway.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace turnout::simulation {

namespace {

using payments::decline_reason;

// A declared bound that holds: what exists is seen by inquiries within this;
// with the latest arrival it is less than any not_found_final_after.
constexpr milliseconds longest_lag{9000};
constexpr milliseconds longest_decision{10 * 60 * 1000};
constexpr milliseconds challenge_life{30 * 60 * 1000};

constexpr double decline_share = 0.12;
constexpr double later_decline_share = 0.3;  // of what took its time, or the shopper
constexpr double challenge_share = 0.15;
constexpr double banking_app_share = 0.2;  // of challenges: taken without the merchant's page
constexpr double refusal_share = 0.05;     // of captures, refunds and voids
constexpr double echo_share = 0.5;

struct drawn_decline {
  decline_reason reason;
  bool hard;
};
constexpr std::array declines{drawn_decline{decline_reason::do_not_honor, false},
                              drawn_decline{decline_reason::do_not_honor, false},
                              drawn_decline{decline_reason::insufficient_funds, false},
                              drawn_decline{decline_reason::issuer_unavailable, false},
                              drawn_decline{decline_reason::gateway_risk, false},
                              drawn_decline{decline_reason::authentication_required, false},
                              drawn_decline{decline_reason::stolen_card, true},
                              drawn_decline{decline_reason::fraud_suspected, true},
                              drawn_decline{decline_reason::none, false},
                              drawn_decline{decline_reason::none, true}};

}  // namespace

std::string describe(const charge& made) {
  std::string line = std::to_string(made.amount) + " EUR ";
  if (made.declined) return line + "declined " + std::string(to_string(made.reason));
  if (made.reversed) return line + "reversed";
  if (made.voided) return line + "voided";
  if (made.undecided) return line + "undecided";
  if (made.challenged) return line + "waits for its shopper";
  line += "STANDS, captured " + std::to_string(made.captured);
  return made.refunded > 0 ? line + ", refunded " + std::to_string(made.refunded) : line;
}

gateway::gateway(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
                 payments::connector_profile declared, gateway_habits habits)
    : time_(time), random_(random), odds_(odds), count_(count), declared_(std::move(declared)), habits_(habits) {}

reply gateway::perform(const asked& what) {
  reply made;
  if (what.operation == "sale" || what.operation == "authorize")
    made = make_charge(what);
  else if (what.operation == "inquire")
    made = inquire(what);
  else if (what.operation == "reverse")
    made = reverse(what);
  else
    made = modify(what);
  if (odds_[fault::echoed_card] > 0 && strikes(fault::echoed_card))
    if (const auto found = by_reference_.find(what.reference); found != by_reference_.end() && !found->second.empty()) {
      made.comment = "card " + charges_[found->second.front()].card + " seen";
      if (!made.url.empty() && random_.chance(echo_share)) made.url += "?pan=" + charges_[found->second.front()].card;
    }
  return made;
}

reply gateway::make_charge(const asked& what) {
  if (blocked_.contains(what.reference)) return {.word = "not_sent"};
  charge made{.reference = what.reference, .card = what.card, .amount = what.amount};
  made.made_at = made.visible_at = made.captured_at = made.stood_from = time_.now().steady;
  if (strikes(fault::inquiry_lag))
    made.visible_at += random_.between(1ms, std::max(longest_lag, habits_.broken.hides_for));
  const std::size_t which = charges_.size();
  made.sale = what.operation == "sale";
  by_reference_[what.reference].push_back(which);
  if (declared_.may_challenge && random_.chance(challenge_share)) {
    made.challenged = true;
    charges_.push_back(made);
    time_.after(challenge_life, scheduler::world, [this, which] {
      if (charges_[which].challenged) decide(which, 1);
    });
    if (random_.chance(banking_app_share))
      time_.after(random_.between(milliseconds(5s), milliseconds(2min)), scheduler::world,
                  [this, reference = what.reference] { take_challenge(reference); });
    return {.word = "action", .url = "https://" + declared_.name + ".invalid/" + what.reference};
  }
  if (declared_.resolve.inquire && strikes(fault::undecided)) {
    made.undecided = true;
    charges_.push_back(made);
    time_.after(random_.between(1s, longest_decision), scheduler::world,
                [this, which] { decide(which, later_decline_share); });
    return {.word = "pending"};
  }
  if (random_.chance(decline_share))
    decline(made);
  else if (strikes(fault::wrong_amount))
    ++made.amount;
  made.closed = made.sale;
  if (!made.declined && made.sale) made.captured = made.amount;
  charges_.push_back(made);
  if (made.declined) return {.word = "declined", .reason = made.reason, .hard = made.hard};
  return {.word = "approved", .amount = made.amount, .captured = made.captured > 0, .charge = which};
}

void gateway::decline(charge& made) {
  const drawn_decline& drawn =
      declines[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(declines.size()) - 1))];
  made.declined = true;
  made.reason = drawn.reason;
  made.hard = drawn.hard;
}

void gateway::decide(std::size_t which, double declined) {
  charge& made = charges_[which];
  made.undecided = made.challenged = false;
  if (made.reversed) return;  // it was called off before it was decided
  made.captured_at = made.stood_from = time_.now().steady;
  if (random_.chance(declined)) {
    decline(made);
  } else {
    made.closed = made.sale;
    if (made.sale) made.captured = made.amount;
  }
  if (tell) tell(made.reference, "decides: " + std::string(made.declined ? "declined" : "approved"));
}

void gateway::take_challenge(const std::string& reference) {
  const auto found = by_reference_.find(reference);
  if (found == by_reference_.end()) return;
  for (const std::size_t each : found->second)
    if (charges_[each].challenged) decide(each, later_decline_share);
}

charge* gateway::standing(const asked& what) {
  if (what.charge) return charges_[*what.charge].stands() ? &charges_[*what.charge] : nullptr;
  const auto found = by_reference_.find(what.reference);
  if (found == by_reference_.end()) return nullptr;
  for (const std::size_t each : found->second)
    if (charges_[each].stands()) return &charges_[each];
  return nullptr;
}

void gateway::complain(const asked& what, const char* why) {
  complaints_.push_back(declared_.name + ": " + what.operation + " of " + std::to_string(what.amount) + " on " +
                        what.reference + " with " + what.key + ": " + why);
}

reply gateway::refuse() {
  if (random_.chance(0.5)) return {.word = "rejected"};
  return {.word = "declined", .reason = decline_reason::not_permitted};
}

bool gateway::settled(const charge& about) const {
  return declared_.refunds.unsettled == payments::unsettled_refund::allowed ||
         time_.now().steady - about.captured_at >= declared_.refunds.settles_after;
}

reply gateway::modify(const asked& what) {
  charge* about = standing(what);
  // What gives back a charge that may not stand is repeated until it is told to be done.
  const bool undoes = what.key.starts_with("att_");
  const bool captures = what.operation == "capture", refunds = what.operation == "refund";
  if (about == nullptr) {
    // A void that was late may find its charge reversed already.
    if ((captures || refunds) && !undoes) complain(what, "no charge stands");
    return refuse();
  }
  const reply made = captures ? capture(*about, what) : refunds ? refund(*about, what) : give_up(*about);
  if (made.word != "approved") return made;
  if (undoes && about->captured > 0 && about->refunded == about->captured) about->reversed = true;
  if (!about->stands() || (about->captured > 0 && about->refunded == about->captured))
    about->stood_until = time_.now().steady;
  // It does what it was asked, and says something else.
  if (declared_.resolve.inquire && strikes(fault::undecided)) return {.word = "pending"};
  const std::int64_t wrong = (captures || refunds) && strikes(fault::wrong_amount) ? 1 : 0;
  return {.word = "approved", .amount = what.amount + wrong, .captured = about->captured > 0};
}

reply gateway::capture(charge& about, const asked& what) {
  if (about.closed || about.captured + what.amount > about.amount) {
    complain(what, "more than is authorised, or a second time");
    return refuse();
  }
  const bool expired =
      declared_.authorization_valid && time_.now().steady - about.made_at > *declared_.authorization_valid;
  if (expired || random_.chance(refusal_share)) return refuse();
  about.captured += what.amount;
  about.captured_at = time_.now().steady;
  about.closed = what.final_capture || !declared_.multiple_captures || about.captured == about.amount;
  return {.word = "approved"};
}

reply gateway::refund(charge& about, const asked& what) {
  if (about.refunded + what.amount > about.captured) {
    if (!what.key.starts_with("att_")) complain(what, "more than is captured");
    return refuse();
  }
  if (!settled(about) || random_.chance(refusal_share)) return refuse();
  about.refunded += what.amount;
  return {.word = "approved"};
}

// A void: of what is not captured, or of all of it while it has not settled.
reply gateway::give_up(charge& about) {
  if (random_.chance(refusal_share)) return refuse();
  if (about.captured == 0) {
    about.voided = true;
  } else if (about.closed) {
    const bool whole = declared_.refunds.unsettled == payments::unsettled_refund::void_if_full && about.refunded == 0;
    if (!whole || settled(about)) return refuse();
    about.refunded = about.captured;
    about.given_back = true;
  } else {
    about.closed = about.released = true;
  }
  return {.word = "approved"};
}

// Of several charges under one reference each is shown in turn.
reply gateway::inquire(const asked& what) {
  const auto found = by_reference_.find(what.reference);
  if (found == by_reference_.end() || found->second.empty()) return {.word = "not_found"};
  std::vector<std::size_t> candidates;
  for (const std::size_t each : found->second)
    if (charges_[each].stands()) candidates.push_back(each);
  if (candidates.empty()) candidates.push_back(found->second.back());
  const std::size_t which = candidates[inquiries_[what.reference]++ % candidates.size()];
  const charge* shown = &charges_[which];
  if (time_.now().steady < shown->visible_at) return {.word = "not_found"};
  if (shown->undecided && !shown->reversed) return {.word = "pending"};
  if (shown->challenged && !shown->reversed)
    return {.word = "action", .url = "https://" + declared_.name + ".invalid/" + what.reference};
  if (shown->declined) return {.word = "declined", .reason = shown->reason, .hard = shown->hard};
  reply told{.word = shown->stands() ? "approved" : "found", .amount = shown->amount};
  told.captured = shown->captured > 0;
  told.voided = shown->voided || shown->reversed || shown->released || shown->given_back;
  told.captured_total = shown->captured;
  told.refunded_total = shown->refunded;
  told.charge = which;
  return told;
}

reply gateway::reverse(const asked& what) {
  if (declared_.resolve.reverse_blocks_late && !habits_.broken.reversal_lets_through) blocked_.insert(what.reference);
  if (const auto found = by_reference_.find(what.reference); found != by_reference_.end())
    for (const std::size_t each : found->second) {
      charge& made = charges_[each];
      if (!made.stands() && !made.undecided && !made.challenged) continue;
      made.reversed = true;
      made.stood_until = time_.now().steady;
    }
  return {.word = "approved"};
}

void gateway::note(const asked& what, const reply& said) {
  if (!tell) return;
  std::string line = what.operation + " ";
  if (what.operation != "inquire" && what.operation != "reverse")
    line += std::to_string(what.amount) + " (key " + what.key + ") ";
  line += "-> " + std::string(said.word);
  if (said.word == "declined") line += " " + std::string(to_string(said.reason));
  tell(what.reference, line);
}

}  // namespace turnout::simulation
