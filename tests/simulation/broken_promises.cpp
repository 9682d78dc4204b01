#include "tests/simulation/broken_promises.hpp"

#include <map>
#include <string>
#include <vector>

#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"
#include "tests/simulation/world.hpp"

namespace turnout::simulation {

namespace {

// What one reversal by reference gave back at once needs nobody who knew that there were two.
bool stood_together(const charge& a, const charge& b) {
  if (a.reference == b.reference && a.stood_until == b.stood_until && a.reversed) return false;
  return a.stood_from < b.stood_until && b.stood_from < a.stood_until;
}

}  // namespace

broken_promises draw_broken_promises(const payments::connector_profile& declared, seeded_random& random) {
  broken_promises made;
  if (!declared.resolve.inquire) return made;
  using payments::operation;
  // Where a second charge under one reference can be given back without the first.
  const bool undoes = declared.offers(operation::void_payment) && declared.offers(operation::refund);
  if (declared.resolve.replay && undoes && random.chance(0.4)) made.charge_key_life = random.between(500ms, 5000ms);
  // All within the day that Turnout goes on asking; of two charges under one reference
  // each inquiry shows one, so two looks are left for them.
  const bool twins = made.charge_key_life.has_value();
  if (random.chance(0.6))
    made.hides_for = random.between(milliseconds(30s), twins ? milliseconds(5h) : milliseconds(20h));
  if (!twins && random.chance(0.4)) made.arrives_within = random.between(milliseconds(30s), milliseconds(3h));
  made.reversal_lets_through = random.chance(0.5);
  return made;
}

void audit_doubled(const disk& journal, const std::vector<const gateway*>& gateways, world_report& report) {
  std::map<std::string, std::vector<charge>> stood;  // by payment
  for (const gateway* each : gateways)
    for (const charge& made : each->ledger()) {
      const std::string* owner = journal.owner_of(made.reference);
      const bool approved = !made.declined && !made.undecided && !made.challenged;
      if (owner != nullptr && approved && made.stood_from < made.stood_until) stood[*owner].push_back(made);
    }
  for (const auto& [id, all] : stood) {
    bool doubled = false;
    for (std::size_t a = 0; a < all.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) doubled |= stood_together(all[a], all[b]);
    if (!doubled) continue;
    ++report.doubled;
    if (journal.late_approvals().contains(id))
      ++report.detected;
    else
      report.violations.push_back("invariant 1: " + id + " was charged twice at a time, and nobody noticed");
  }
}

}  // namespace turnout::simulation
