#include "sandbox/challenge.hpp"

#include <algorithm>

#include "payments/money.hpp"

namespace turnout::sandbox {

const challenge& challenges::add(challenge made) {
  std::string reference = made.asked.reference;
  return waiting_.insert_or_assign(std::move(reference), std::move(made)).first->second;
}

const challenge* challenges::by_reference(std::string_view reference) const {
  const auto found = waiting_.find(reference);
  return found == waiting_.end() ? nullptr : &found->second;
}

const challenge* challenges::by_number(std::uint64_t charge) const {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& each) { return each.second.charge == charge; });
  return found == waiting_.end() ? nullptr : &found->second;
}

void challenges::remove(std::string_view reference) {
  const auto found = waiting_.find(reference);
  if (found != waiting_.end()) waiting_.erase(found);
}

net::response plain_page(unsigned status, std::string_view text) {
  net::response page;
  page.status = status;
  page.fields.emplace_back("Content-Type", "text/html; charset=utf-8");
  page.fields.emplace_back("Cache-Control", "no-store");
  page.body = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox bank</title></head><body>";
  page.body += text;
  page.body += "</body></html>\n";
  return page;
}

net::response challenge_page(const challenge& of) {
  const payments::money amount{of.asked.amount.value(), of.asked.unit.value()};
  std::string text = "<h1>Sandbox bank</h1><p>Do you pay ";
  text += payments::to_decimal(amount, amount.unit.exponent());
  text += ' ';
  text += amount.unit.code();
  text +=
      "? No money moves here: the code is 123456, or leave it empty.</p><form method=\"post\">"
      "<label>Code <input name=\"code\" id=\"code\" autocomplete=\"off\"></label> "
      "<button name=\"result\" value=\"approve\" id=\"approve\">approve</button> "
      "<button name=\"result\" value=\"fail\" id=\"fail\">fail</button> "
      "<button name=\"result\" value=\"cancel\" id=\"cancel\">cancel</button></form>";
  return plain_page(200, text);
}

}  // namespace turnout::sandbox
