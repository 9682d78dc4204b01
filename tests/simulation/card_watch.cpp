#include "tests/simulation/card_watch.hpp"

namespace turnout::simulation {

std::string card_watch::draw(seeded_random& random) {
  std::string number = "4";
  std::uint64_t digits = random.next();
  while (number.size() < length - 1) {
    number.push_back(static_cast<char>('0' + digits % 10));
    digits /= 10;
  }
  int sum = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const int digit = number[i] - '0';
    sum += i % 2 != 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
  }
  number.push_back(static_cast<char>('0' + (10 - sum % 10) % 10));
  numbers_.insert(number);
  return number;
}

void card_watch::read(std::string_view where, std::string_view text) {
  if (text.size() < length) return;
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    run = text[i] >= '0' && text[i] <= '9' ? run + 1 : 0;
    if (run >= length && numbers_.contains(std::string(text.substr(i + 1 - length, length))))
      violations_.push_back("invariant 6: a card number is in " + std::string(where) + ": " + std::string(text));
  }
}

void card_watch::read(const core::journal_write& write) {
  const payments::payment& record = *write.record;
  for (const payments::attempt& each : record.attempts) {
    for (const std::string* text : {&each.code, &each.gateway_code, &each.gateway_reference})
      read("the journal", *text);
    for (const auto& [name, value] : each.kept) read("the journal", value);
  }
  for (const payments::modification& each : record.modifications)
    for (const std::string* text : {&each.code, &each.gateway_code, &each.gateway_reference})
      read("the journal", *text);
  for (const payments::payment_event& each : write.events) read("the journal", each.code);
  for (const std::string& each : write.decisions) read("the journal", each);
  for (const core::object_answer& each : write.answers) read("a stored answer", each.answer.body);
  read("the journal", record.next_action.url);
  if (record.error) read("the journal", record.error->gateway_code);
  for (const std::string* text : {&record.card.bin, &record.card.last4, &record.card.fingerprint, &record.reference})
    read("the journal", *text);
}

void card_watch::read(const payments::send_result& result) {
  for (const std::string* text : {&result.code, &result.gateway_code, &result.gateway_reference, &result.action.url})
    read("what is counted and logged", *text);
}

}  // namespace turnout::simulation
