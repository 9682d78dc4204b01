#include "proxy/api/explain_request.hpp"

#include <algorithm>
#include <utility>

#include "proxy/api/answers.hpp"
#include "proxy/api/payment_body.hpp"
#include "proxy/api/query.hpp"

namespace turnout::api {
namespace {

constexpr std::string_view parameters[] = {"merchant", "mode"};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

}  // namespace

std::variant<explain_request, problem> read_explain_request(std::string_view asked, std::string_view body,
                                                            const std::vector<std::string>& merchants,
                                                            payments::wall_time now) {
  std::vector<field_error> errors;
  const query given = query::read(asked, parameters, errors);
  const std::string* merchant = given.find("merchant");
  const std::string* mode = given.find("mode");
  if (merchant == nullptr && merchants.size() == 1) merchant = &merchants.front();
  if (merchant == nullptr)
    errors.push_back({"merchant", "is required: one of " + listed(merchants)});
  else if (std::find(merchants.begin(), merchants.end(), *merchant) == merchants.end())
    errors.push_back({"merchant", "is in no connector's list; allowed: " + listed(merchants)});
  if (mode != nullptr && *mode != "test" && *mode != "live") errors.push_back({"mode", "must be test or live"});
  if (!errors.empty()) return invalid(std::move(errors));

  json_failure failure;
  const std::optional<json_document> document = json_document::parse(body, {}, failure);
  if (!document) return malformed(failure);
  principal who;
  who.merchant = *merchant;
  who.livemode = mode != nullptr && *mode == "live";
  payment_body read = read_payment_body(*document, who, now, card_form::number_or_bin);
  if (!read.errors.empty()) return invalid(std::move(read.errors));
  return explain_request{std::move(*read.request), std::move(read.card)};
}

}  // namespace turnout::api
