#include "sandbox/dialect.hpp"

namespace turnout::sandbox {

std::string_view describe(refusal code) noexcept {
  switch (code) {
    case refusal::none: return "";
    case refusal::unauthorised: return "a credential is required";
    case refusal::invalid: return "the request is not valid";
    case refusal::unknown_path: return "there is nothing at this path";
    case refusal::method_not_allowed: return "this path does not take this method";
    case refusal::key_mismatch: return "the idempotency key was used with another request";
    case refusal::key_in_flight: return "the first request with this idempotency key is still running";
    case refusal::rate_limited: return "too many requests; this one was not processed";
    case refusal::not_processed: return "out of service; the request was not processed";
    case refusal::internal: return "something went wrong here";
    case refusal::reference_reversed: return "the reference was reversed; it is not charged again";
    case refusal::duplicate_reference: return "the reference was used before";
    case refusal::not_found: return "nothing is known by this reference";
    case refusal::unknown_charge: return "there is no charge with this id";
    case refusal::not_approved: return "the charge was not approved";
    case refusal::already_captured: return "the charge is captured already";
    case refusal::not_captured: return "the charge is not captured";
    case refusal::already_voided: return "the charge is voided already";
    case refusal::amount_too_large: return "the amount is more than is left of the charge";
    case refusal::currency_mismatch: return "the charge is in another currency";
  }
  return "";
}

}  // namespace turnout::sandbox
