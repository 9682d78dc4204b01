#pragma once
// A payment body that is right, and a way to make it wrong in one place.
#include <chrono>
#include <string>
#include <string_view>

#include "proxy/api/json_document.hpp"
#include "proxy/api/payment_body.hpp"

namespace turnout::api::test {

inline constexpr std::string_view card_number = "4242424242424242";

inline const std::string good_body =
    R"({"amount": 1250, "currency": "EUR", "capture": "automatic", )"
    R"("payment_method": {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, )"
    R"("cvc": "987", "holder": "A. Buyer"}}, "reference": "order-1001", )"
    R"("customer": {"id": "cus_9", "email": "a@example.com", "country": "DE"}, )"
    R"("return_url": "https://shop.example/return", "metadata": {"cart": "77"}})";

/// `text` with its only `what` replaced.
inline std::string with(std::string text, std::string_view what, std::string_view instead) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos || text.find(what, at + 1) != std::string::npos)
    throw std::logic_error("not exactly once");
  return text.replace(at, what.size(), instead);
}

inline payments::wall_time noon() {  // 2026-11-20T12:00:00Z
  return std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + std::chrono::hours{12};
}

inline const principal demo{"demo", false, "ak_demo"};

}  // namespace turnout::api::test
