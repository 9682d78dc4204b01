#pragma once
// Payments as merchants see them (design: "The merchant API").
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment.hpp"
#include "proxy/core/ports.hpp"

namespace turnout::api {

std::string render_payment(const payments::payment& record);
/// 202 while it is processing, else 201, and render_payment(). A good
/// core::create_command::render.
core::stored_answer render_created(const payments::payment& record);

/// {"object":"list","data":[…],"next_cursor":…} around `data`, a JSON array; an empty cursor is null.
std::string render_list(std::string data, std::string_view next_cursor);
/// A capture or refund; of a cancellation (can_…) the payment. 201 when it is
/// settled, 202 while it is pending; status 0: the record has no such object.
core::stored_answer render_modified(const payments::payment& record, std::string_view object);
std::string render_modifications(const payments::payment& record, payments::modification_kind kind);
std::string render_attempts(const payments::payment& record);
std::string render_events(const std::vector<payments::payment_event>& events, std::string_view next_cursor = {});
/// `decisions` are JSON texts.
std::string render_decisions(const std::vector<std::string>& decisions, std::string_view next_cursor = {});

}  // namespace turnout::api
