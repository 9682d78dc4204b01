#include "tests/simulation/variants.hpp"

#include <array>

namespace turnout::simulation {

namespace {

const std::array variants{
    variant{.name = "fail_over_on_unknown",
            .what = "a charge whose answer was lost is tried elsewhere",
            .unknown_is_not_sent = true},
    variant{.name = "early_not_found",
            .what = "the first \"not found\" is taken for the truth",
            .trusts_early_not_found = true},
    variant{.name = "rate_limit_clears_doubt",
            .what = "a 429 on a replay is taken for an answer",
            .limited_replay_is_decline = true},
    variant{.name = "duplicate_clears_doubt",
            .what = "\"duplicate\" on a replay is taken for an answer",
            .duplicate_is_decline = true},
    variant{.name = "answer_before_commit",
            .what = "merchants are answered before the answer is durable",
            .disk = {.acknowledges_answers_early = true}},
    variant{.name = "send_before_intent",
            .what = "gateways are asked before the intent is durable",
            .disk = {.acknowledges_intents_early = true}},
    variant{.name = "failed_sync_ignored",
            .what = "a failed fsync is taken for a good one",
            .disk = {.ignores_failed_sync = true}},
    variant{.name = "full_disk_ignored",
            .what = "a full disk is said to have written",
            .disk = {.ignores_full_disk = true}},
    variant{.name = "no_dedupe", .what = "two payments may have one idempotency key", .disk = {.forgets_keys = true}},
    variant{.name = "keys_in_memory",
            .what = "a restart forgets the idempotency keys",
            .disk = {.forgets_keys_at_restart = true}},
    variant{.name = "answers_not_kept",
            .what = "a key gives the current state instead of its answer",
            .disk = {.forgets_answers = true}},
    variant{.name = "replay_past_key_life",
            .what = "a charge is replayed when its key has been forgotten",
            .keys_live_for_ever = true},
    variant{
        .name = "expired_keys", .what = "keys live shorter than declared", .gateways = {.key_life = milliseconds(1)}},
    variant{.name = "forgotten_operation_keys",
            .what = "keys of captures and refunds are not honoured",
            .gateways = {.forgets_operation_keys = true}},
    variant{.name = "hard_decline_failed_over", .what = "a stolen card is tried elsewhere", .hard_is_soft = true},
    variant{.name = "fail_over_on_pending",
            .what = "what a gateway has not decided is tried elsewhere",
            .pending_is_declined = true},
    variant{.name = "fail_over_on_challenge",
            .what = "what waits for its shopper is tried elsewhere",
            .challenge_is_declined = true},
    variant{.name = "late_approval_ignored",
            .what = "after a cancel an approval is not looked at",
            .late_approvals_are_ignored = true},
    variant{
        .name = "cancel_in_memory", .what = "a restart does not know of a cancel", .disk = {.forgets_cancels = true}},
    variant{.name = "reservation_in_memory",
            .what = "a restart does not know of pending captures and refunds",
            .disk = {.forgets_modifications = true}},
    variant{.name = "forgotten_reversals",
            .what = "a reversal is taken for done without being sent",
            .reversals_are_forgotten = true},
    variant{.name = "resolver_stops", .what = "after a restart nothing is taken up again", .resolver_stops = true},
    variant{.name = "no_owner", .what = "any engine refunds: amounts are reserved twice", .anyone_modifies = true},
    variant{.name = "stale_configuration",
            .what = "one engine goes on with a connector that was removed",
            .ignores_reload = true},
    variant{.name = "crossed_answers", .what = "a payment reads the answer of another", .answers_are_crossed = true},
    variant{.name = "card_kept", .what = "a gateway's answer is kept with the card number in it", .keeps_card = true},
    variant{.name = "reservation_released",
            .what = "a refund whose answer was lost releases its amount",
            .lost_modification_failed = true},
    variant{.name = "lost_is_done",
            .what = "a capture whose answer was lost is taken for done",
            .lost_modification_done = true},
    variant{.name = "any_amount", .what = "the approved amount is not compared", .any_amount = true},
    variant{.name = "reverse_does_not_block",
            .what = "a reversal lets a late charge through",
            .reverse_does_not_block = true},
};

}  // namespace

std::span<const variant> broken_variants() noexcept { return variants; }

const variant* find_variant(std::string_view name) noexcept {
  for (const variant& each : variants)
    if (each.name == name) return &each;
  return nullptr;
}

}  // namespace turnout::simulation
