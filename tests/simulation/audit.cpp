#include "tests/simulation/audit.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "payments/modification_rules.hpp"
#include "tests/simulation/profiles.hpp"

namespace turnout::simulation {

namespace {

using payments::payment_status;

struct sums {
  int standing = 0;
  std::int64_t authorized = 0, captured = 0, refunded = 0;
  std::vector<std::pair<const charge*, const gateway*>> charges;
};

class auditor {
 public:
  auditor(const disk& journal, world_report& report, bool bounds_kept)
      : journal_(journal), report_(report), bounds_kept_(bounds_kept) {}

  void read_ledgers(const std::vector<const gateway*>& gateways) {
    for (const gateway* each : gateways) {
      gateways_[each->name()] = each;
      report_.charges += each->ledger().size();
      for (const std::string& complaint : each->complaints()) fault("4", "", complaint);
      for (const charge& made : each->ledger()) {
        const std::string* owner = journal_.owner_of(made.reference);
        if (owner == nullptr) {
          fault("2", made.reference, "was charged, and the journal does not know it");
          continue;
        }
        sums& of = sums_[*owner];
        of.charges.emplace_back(&made, each);
        if (!made.stands()) continue;
        ++of.standing;
        of.authorized += made.amount;
        of.captured += made.captured;
        of.refunded += made.refunded;
      }
    }
  }

  void read_journal() {
    std::map<std::string, std::string> paid;  // reference -> payment
    for (const auto& [id, record] : journal_.payments()) {
      check(id, record);
      if (bounds_kept_) check_hard_declines(id);
      const bool free = record.status == payment_status::failed || record.status == payment_status::canceled;
      if (record.reference.empty() || free) continue;
      const auto [known, first] = paid.emplace(record.reference, id);
      if (!first) fault("3", id, "has the reference of " + known->second);
    }
  }

  void read_memory(const shop& merchants) {
    for (const std::string& complaint : merchants.complaints()) fault(complaint.substr(0, 1), "", complaint.substr(3));
    std::unordered_map<std::string, std::string> payment_of;  // key -> payment
    for (const told& each : merchants.memory()) {
      const payments::payment* record = journal_.find(each.payment);
      if (record == nullptr) {
        fault("2", each.payment, "a merchant was told of it, and it is not in the journal");
        continue;
      }
      if (!each.key.empty()) {
        const std::string& subject = each.object.empty() ? each.payment : each.object;
        const auto [known, first] = payment_of.emplace(each.key, subject);
        if (!first && known->second != subject) fault("3", subject, "has the key of " + known->second);
      }
      check_told(each, *record);
    }
  }

 private:
  void fault(const std::string& invariant, const std::string& id, const std::string& what) {
    report_.violations.push_back("invariant " + invariant + ": " + id + " " + what);
  }

  void check(const std::string& id, const payments::payment& record) {
    for (const std::string& each : journal_.story_of(id).differences(record))
      fault("2", id, "contradicts its events: " + each);
    const sums& found = sums_[id];
    if (found.standing > 1) fault("1", id, "has " + std::to_string(found.standing) + " standing charges");
    if (!is_final(record.status) || record.attention) {
      if (!record.attention) fault("5", id, "is not final, and nobody is told");
      if (!is_final(record.status) && !lacks_proof(record))
        fault("5", id, "is not final, and its gateways declare a proof");
      ++report_.attention;
      return;  // what stands is not decided yet
    }
    const bool kept = record.status == payment_status::authorized || record.status == payment_status::succeeded;
    if (kept != (found.standing == 1))
      fault("2", id,
            "is " + std::string(to_string(record.status)) + " with " + std::to_string(found.standing) +
                " standing charges");
    if (!kept) return;
    if (found.authorized != record.amount_authorized) fault("2", id, "is authorised for another amount");
    if (found.captured != record.amount_captured)
      fault(
          "4", id,
          "has captured " + std::to_string(record.amount_captured) + ", its gateway " + std::to_string(found.captured));
    if (found.refunded != record.amount_refunded)
      fault(
          "4", id,
          "has refunded " + std::to_string(record.amount_refunded) + ", its gateway " + std::to_string(found.refunded));
    if (record.amount_captured > record.amount_authorized || record.amount_refunded > record.amount_captured)
      fault("4", id, "exceeds itself");
    if (has_pending_modification(record)) fault("5", id, "has an operation that never ended");
  }

  bool lacks_proof(const payments::payment& record) const {
    return std::any_of(record.attempts.begin(), record.attempts.end(), [&](const payments::attempt& each) {
      const bool open = each.unresolved() || each.stands() || each.reversal == payments::reversal_state::wanted;
      const payments::connector_profile& gateway = gateways_.at(each.connector)->declared();
      const bool undoing = each.seen_approved && !gateway.resolve.reverse;
      return open && (undoing || !declares_proof(gateway));
    });
  }

  // Once the proxy was told that the card is never to be tried again. What was sent before and
  // arrives after it, beyond the declared bounds, is nothing that the proxy did.
  void check_hard_declines(const std::string& id) {
    const auto found = sums_.find(id);
    if (found == sums_.end() || found->second.charges.size() < 2) return;
    for (const auto& [declined, at] : found->second.charges) {
      const auto told = at->told_hard().find(declined->reference);
      if (told == at->told_hard().end()) continue;
      for (const auto& [other, where] : found->second.charges)
        if (other->reference != declined->reference && other->made_at > told->second)
          fault("rule", id, "was declined for good by " + at->name() + ", and tried at " + where->name());
    }
  }

  void check_told(const told& each, const payments::payment& record) {
    std::string_view now = to_string(record.status);
    const bool cancels = each.object.starts_with("can_");
    const auto found =
        std::find_if(record.modifications.begin(), record.modifications.end(),
                     [&](const payments::modification& one) { return !each.object.empty() && one.id == each.object; });
    const bool recorded = found != record.modifications.end();
    if (cancels && !recorded && is_final(record.status) && record.status != payment_status::canceled)
      fault("2", each.payment, "took a cancel, and is " + std::string(now));
    if (each.word == "processing" || each.word == "requires_action" || each.word == "pending" || each.status == 202)
      return;
    if (!each.object.empty() && !cancels) {
      if (!recorded) return fault("2", each.object, "was told of, and is gone");
      now = to_string(found->status);
    }
    if (now == each.word) return;
    // An authorisation may have been captured or canceled since.
    const bool later = each.word == "authorized" && (now == "succeeded" || now == "canceled");
    if (!later) fault("2", each.payment + " " + each.object, "was told " + each.word + " and is " + std::string(now));
  }

  const disk& journal_;
  world_report& report_;
  const bool bounds_kept_;
  std::unordered_map<std::string, sums> sums_;
  std::map<std::string, const gateway*> gateways_;
};

}  // namespace

void audit_world(const disk& journal, const std::vector<const gateway*>& gateways, const shop& merchants,
                 bool bounds_kept, world_report& report) {
  auditor all(journal, report, bounds_kept);
  all.read_ledgers(gateways);
  all.read_journal();
  all.read_memory(merchants);
  report.payments = journal.payments().size();
  report.modifications = merchants.asked_modifications;
  report.answers = merchants.memory().size();
}

}  // namespace turnout::simulation
