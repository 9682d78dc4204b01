#include "proxy/core/card_echo.hpp"

#include <algorithm>
#include <string>

namespace turnout::core {

namespace {

bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }

void mask_at(std::string& text, std::size_t at, std::size_t size) {
  std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), size, '*');
}

/// Runs of digits that are the CVC and no part of a longer number.
void mask_numbers(std::string& text, std::string_view cvc) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    const auto end = static_cast<std::size_t>(
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_digit) - text.begin());
    if (std::string_view(text).substr(at, end - at) == cvc) mask_at(text, at, end - at);
    at = end;
  }
}

/// name=CVC; anything else of a URL may be an address that must stay what it is.
void mask_parameters(std::string& url, std::string_view cvc) {
  for (std::size_t at = url.find('='); at != std::string::npos; at = url.find('=', at + 1)) {
    const std::size_t end = std::min(url.find_first_of("&;#", at), url.size());
    if (std::string_view(url).substr(at + 1, end - at - 1) == cvc) mask_at(url, at + 1, cvc.size());
  }
}

void mask_field(std::string& text, std::string_view cvc) {
  if (text == cvc) mask_at(text, 0, text.size());
}

void forget_cvc(payments::send_result& result, std::string_view cvc) {
  mask_numbers(result.gateway_code, cvc);
  mask_field(result.gateway_reference, cvc);
  mask_parameters(result.action.url, cvc);
  for (auto& [name, content] : result.action.fields) mask_field(content, cvc);
  std::erase_if(result.kept, [&](const auto& each) { return each.second == cvc; });
}

}  // namespace

void forget_card(payments::send_result& result, payments::operation asked, const payments::card_summary& card,
                 std::string_view cvc) {
  const std::string told = result.gateway_reference;
  for (std::string* text : {&result.gateway_code, &result.gateway_reference, &result.action.url})
    payments::mask_number(*text, card);
  for (auto& [name, content] : result.action.fields) {
    payments::mask_number(name, card);
    payments::mask_number(content, card);
  }
  for (auto& [name, value] : result.kept) payments::mask_number(value, card);
  if (!cvc.empty()) forget_cvc(result, cvc);
  if (result.gateway_reference == told) return;
  result.gateway_reference.clear();
  if (result.result != payments::outcome::approved || asked == payments::operation::reverse) return;
  payments::send_result unclear;
  unclear.answered = result.answered;
  unclear.carried = result.carried;
  unclear.code = "gateway_reference_unusable";
  result = std::move(unclear);
}

}  // namespace turnout::core
