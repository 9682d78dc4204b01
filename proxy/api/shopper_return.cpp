// GET /v1/payments/{id}/return: a shopper comes back from a challenge. A person
// with a browser, without an API key: the answers are pages, and say nothing
// that the signed address does not entitle to.
#include <utility>

#include "proxy/api/api.hpp"
#include "proxy/api/exchange.hpp"
#include "proxy/api/query.hpp"
#include "proxy/api/route_table.hpp"

namespace turnout::api {

namespace {

net::response page(unsigned status, std::string_view title, std::string_view text) {
  std::string body =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>";
  body.append(title).append("</title></head><body><h1>").append(title).append("</h1><p>").append(text);
  body.append("</p></body></html>\n");
  return {status, {{"Content-Type", "text/html; charset=utf-8"}}, std::move(body)};
}

net::response result_page(payments::payment_status status) {
  using payments::payment_status;
  switch (status) {
    case payment_status::succeeded:
    case payment_status::authorized: return page(200, "Payment accepted", "You can go back to the shop.");
    case payment_status::failed:
    case payment_status::canceled: return page(200, "Payment not made", "Nothing was charged. Go back to the shop.");
    case payment_status::processing:
    case payment_status::requires_action: break;
  }
  return page(200, "Payment in progress", "The result is not known yet. Go back to the shop, which will hear of it.");
}

net::response told(const payments::payment& record) {
  if (record.return_url.empty()) return result_page(record.status);
  // Never anywhere else: this address was checked and stored when the payment was made.
  net::response away = page(303, "Back to the shop", "Your browser is being sent back.");
  away.fields.emplace_back("Location", with_result(record.return_url, record.id, to_string(record.status)));
  return away;
}

net::response no_such_page() { return page(404, "Not found", "There is nothing at this address."); }

}  // namespace

void api::shopper_returned(open_exchange& at) {
  // Gateways add parameters of their own to the address: only ours is looked at.
  std::vector<field_error> ignored;
  const query asked = query::read(at.query, return_parameters, ignored);
  const std::string* token = asked.find("token");
  if (token == nullptr || world_.returns == nullptr) return at.call.answer(no_such_page());
  switch (world_.returns->check(at.parameter, *token, at.call.arrival.wall)) {
    case return_address::verdict::wrong: return at.call.answer(no_such_page());
    case return_address::verdict::expired:
      return at.call.answer(page(410, "Expired", "This address is not good any more. Go back to the shop."));
    case return_address::verdict::good: break;
  }
  at.own.shopper_returned(std::string(at.parameter), [call = at.call](std::optional<payments::payment> known) {
    call.answer(known ? told(*known) : no_such_page());
  });
}

}  // namespace turnout::api
