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
    variant{.name = "answer_before_commit",
            .what = "the journal acknowledges what is not durable",
            .disk = {.acknowledges_early = true}},
    variant{.name = "no_dedupe", .what = "two payments may have one idempotency key", .disk = {.forgets_keys = true}},
    variant{
        .name = "expired_keys", .what = "keys live shorter than declared", .gateways = {.key_life = milliseconds(1)}},
    variant{.name = "forgotten_operation_keys",
            .what = "keys of captures and refunds are not honoured",
            .gateways = {.forgets_operation_keys = true}},
    variant{.name = "forgotten_reversals",
            .what = "a reversal is taken for done without being sent",
            .reversals_are_forgotten = true},
    variant{.name = "resolver_stops", .what = "after a restart nothing is taken up again", .resolver_stops = true},
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
